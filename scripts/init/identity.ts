import "reflect-metadata";
import { generateKeyPairSync, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

/** Keys and certificates of a stack, made once; PEM texts. */
export interface Identity {
  /** RSA 4096, PKCS#1: Harbor signs tokens with it and reads no other form. */
  tokenKey: string;
  tokenCertificate: string;
  caKey: string;
  caCertificate: string;
  certificate: string;
  privateKey: string;
  internalCertificate: string;
  internalKey: string;
}

const years = (count: number) => ({
  notBefore: new Date(Date.now() - 86_400_000),
  notAfter: new Date(Date.now() + count * 365 * 86_400_000),
});
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const serialNumber = () => `00${randomBytes(15).toString("hex")}`;

/**
 * Makes a CA (ten years), the endpoint's certificate (825 days, which Apple's clients accept at most) for a host name or
 * address, the one PostgreSQL shows inside (ten years), and Harbor's token key.
 */
export async function makeIdentity(hostname: string): Promise<Identity> {
  x509.cryptoProvider.set(webcrypto as unknown as Crypto);
  const caKeys = await keyPair();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: "CN=harbor-ha CA",
    ...years(10),
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const issue = async (name: string, lifetime: ReturnType<typeof years>) => {
    const keys = await keyPair();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: isIP(name) ? "CN=harbor-ha endpoint" : `CN=${name.slice(0, 64)}`,
      issuer: ca.subject,
      ...lifetime,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(["1.3.6.1.5.5.7.3.1"]),
        new x509.SubjectAlternativeNameExtension([{ type: isIP(name) ? "ip" : "dns", value: name }]),
        await x509.AuthorityKeyIdentifierExtension.create(ca),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return { certificate: pem(certificate), key: await privatePem(keys.privateKey) };
  };
  const endpoint = await issue(hostname, { ...years(10), notAfter: new Date(Date.now() + 824 * 86_400_000) });
  const internal = await issue("postgresql.harbor-ha.internal", years(10));
  return {
    ...(await tokenPair()),
    caKey: await privatePem(caKeys.privateKey),
    caCertificate: pem(ca),
    certificate: endpoint.certificate,
    privateKey: endpoint.key,
    internalCertificate: internal.certificate,
    internalKey: internal.key,
  };
}

async function keyPair(): Promise<CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ])) as unknown as CryptoKeyPair;
}

async function tokenPair() {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 4096 });
  const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const signingKey = await webcrypto.subtle.importKey(
    "pkcs8",
    privateKey.export({ type: "pkcs8", format: "der" }),
    rsa,
    false,
    ["sign"],
  );
  const verifyKey = await webcrypto.subtle.importKey(
    "spki",
    publicKey.export({ type: "spki", format: "der" }),
    rsa,
    true,
    ["verify"],
  );
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: "CN=harbor-ha token",
    ...years(10),
    keys: { privateKey: signingKey, publicKey: verifyKey } as unknown as CryptoKeyPair,
    signingAlgorithm: rsa,
  });
  return {
    tokenKey: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
    tokenCertificate: pem(certificate),
  };
}

const pem = (certificate: x509.X509Certificate) => `${certificate.toString("pem").trim()}\n`;

async function privatePem(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key as unknown as webcrypto.CryptoKey));
  return `-----BEGIN PRIVATE KEY-----\n${der
    .toString("base64")
    .match(/.{1,64}/g)
    ?.join("\n")}\n-----END PRIVATE KEY-----\n`;
}
