import { createPrivateKey, createPublicKey, createSign, createVerify, X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { type Identity, makeIdentity } from "../../../scripts/init/identity.ts";

let named: Identity;
let addressed: Identity;
beforeAll(async () => {
  [named, addressed] = await Promise.all([makeIdentity("registry.example.com"), makeIdentity("10.231.77.10")]);
});

const certificate = (pem: string) => new X509Certificate(pem);
const yearsLeft = (pem: string) => (certificate(pem).validToDate.getTime() - Date.now()) / (365 * 86_400_000);

describe("the token key", () => {
  test("is RSA of 4096 bits in the one form that Harbor reads", () => {
    expect(named.tokenKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
    const key = createPrivateKey(named.tokenKey);
    expect(key.asymmetricKeyType).toBe("rsa");
    expect(key.asymmetricKeyDetails?.modulusLength).toBe(4096);
  });

  test("signs what its certificate verifies, for ten years", () => {
    const signature = createSign("sha256").update("token").sign(named.tokenKey);
    const key = createPublicKey(named.tokenCertificate);
    expect(createVerify("sha256").update("token").verify(key, signature)).toBe(true);
    expect(yearsLeft(named.tokenCertificate)).toBeGreaterThan(9.9);
  });
});

describe("the certificates", () => {
  test("of endpoint and PostgreSQL are signed by the CA, which may sign no other CA", () => {
    const ca = certificate(named.caCertificate);
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    for (const pem of [named.certificate, named.internalCertificate]) {
      expect(certificate(pem).ca).toBe(false);
      expect(certificate(pem).checkIssued(ca)).toBe(true);
      expect(certificate(pem).verify(ca.publicKey)).toBe(true);
    }
    expect(ca.checkPrivateKey(createPrivateKey(named.caKey))).toBe(true);
  });

  test("belong to their keys", () => {
    const pairs: [string, string][] = [
      [named.certificate, named.privateKey],
      [named.internalCertificate, named.internalKey],
    ];
    for (const [pem, key] of pairs) expect(certificate(pem).checkPrivateKey(createPrivateKey(key))).toBe(true);
  });

  test("name the endpoint as clients check it: by DNS name, or by address", () => {
    const strict = { subject: "never" } as const;
    expect(certificate(named.certificate).checkHost("registry.example.com", strict)).toBe("registry.example.com");
    expect(certificate(named.certificate).checkHost("other.example.com", strict)).toBeUndefined();
    expect(certificate(addressed.certificate).checkIP("10.231.77.10")).toBe("10.231.77.10");
    expect(certificate(addressed.certificate).checkIP("10.231.77.11")).toBeUndefined();
  });

  test("last ten years inside, and for clients as long as Apple's accept one", () => {
    for (const pem of [named.caCertificate, named.internalCertificate]) expect(yearsLeft(pem)).toBeGreaterThan(9.9);
    const { validFromDate, validToDate } = certificate(named.certificate);
    expect((validToDate.getTime() - validFromDate.getTime()) / 86_400_000).toBeLessThanOrEqual(825);
    expect(yearsLeft(named.certificate)).toBeGreaterThan(2);
  });

  test("are valid already on a machine whose clock is hours behind", () => {
    for (const pem of [named.caCertificate, named.certificate, named.internalCertificate])
      expect(certificate(pem).validFromDate.getTime()).toBeLessThan(Date.now() - 12 * 3_600_000);
  });
});

test("no two stacks share a key or a serial number", () => {
  for (const part of ["tokenKey", "caKey", "privateKey", "internalKey"] as const)
    expect(named[part]).not.toBe(addressed[part]);
  const serials = [named, addressed].flatMap(({ caCertificate, certificate: endpoint, internalCertificate }) =>
    [caCertificate, endpoint, internalCertificate].map((pem) => certificate(pem).serialNumber),
  );
  expect(new Set(serials).size).toBe(serials.length);
});

test("a host name longer than a common name may be is still named", async () => {
  const long = `${"registry-".repeat(6)}x.${"department-".repeat(4)}x.example.com`;
  const { certificate: pem } = await makeIdentity(long);
  expect(certificate(pem).checkHost(long, { subject: "never" })).toBe(long);
});
