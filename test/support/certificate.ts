import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

/** A certificate of one's own, as a user may bring it, and its key; PEM texts. */
export async function certificateFor(
  name: string,
  options: { from?: Date; until?: Date; nameIn?: "alternative name" | "common name only" } = {},
): Promise<{ certificate: string; privateKey: string }> {
  x509.cryptoProvider.set(webcrypto as unknown as Crypto);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as unknown as CryptoKeyPair;
  const day = 86_400_000;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: options.from ?? new Date(Date.now() - day),
    notAfter: options.until ?? new Date(Date.now() + day),
    keys,
    signingAlgorithm: algorithm,
    extensions:
      options.nameIn === "common name only"
        ? []
        : [new x509.SubjectAlternativeNameExtension([{ type: isIP(name) ? "ip" : "dns", value: name }])],
  });
  const der = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey as unknown as webcrypto.CryptoKey);
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return {
    certificate: certificate.toString("pem"),
    privateKey: `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`,
  };
}
