import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { Problem } from "../components/model/problems.ts";

/** What is wrong with a host name for Harbor, if anything. */
export function hostnameProblem(value: string): string | undefined {
  if (value === "localhost" || (isIP(value) === 4 && value.startsWith("127.")))
    return "Harbor refuses a loopback name: clients must reach it";
  if (value === "reg.mydomain.com") return "is Harbor's own example, which its installer refuses";
  if (isIP(value) === 4) return undefined;
  if (isIP(value) === 6) return "must be a DNS name or an IPv4 address; IPv6 is not supported";
  if (
    value.length > 253 ||
    !/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(value)
  )
    return "must be a DNS name in lower case, without scheme, port or path";
  if (/(^|\.)\d+$/.test(value)) return "is neither an IPv4 address nor a DNS name, whose last part holds a letter";
  return undefined;
}

/** What is wrong with a private IPv4 network that must have exactly this prefix length, if anything. */
export function addressProblem(value: string, prefixLength: number): string | undefined {
  const [address = "", prefix, ...rest] = value.split("/");
  if (isIP(address) !== 4 || rest.length > 0 || prefix !== String(prefixLength))
    return `must be an IPv4 network written as a.b.c.d/${prefixLength}`;
  const bytes = address.split(".").map(Number) as [number, number, number, number];
  if (bytes.slice(prefixLength / 8).some((byte) => byte !== 0))
    return `must end in zeros: ${bytes.map((byte, index) => (index < prefixLength / 8 ? byte : 0)).join(".")}/${prefixLength}`;
  const isPrivate =
    bytes[0] === 10 || (bytes[0] === 172 && bytes[1] >= 16 && bytes[1] < 32) || (bytes[0] === 192 && bytes[1] === 168);
  return isPrivate ? undefined : "must be a private network (10/8, 172.16/12 or 192.168/16)";
}

/** Whether an address lies in a network written with its prefix length. */
export function contains(network: string, address: string): boolean {
  const [base = "", prefix] = network.split("/");
  const size = 2 ** (32 - Number(prefix));
  const number = (text: string) => text.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
  return Math.floor(number(base) / size) === Math.floor(number(address) / size);
}

/** Whether two networks have an address in common. */
export const overlap = (one: string, other: string): boolean =>
  contains(one, other.split("/")[0] ?? "") || contains(other, one.split("/")[0] ?? "");

/** What is wrong with a certificate and its key for an endpoint. Never quotes the key. */
export function certificateProblems(certificate: string, privateKey: string, hostname: string): Problem[] {
  const problems: Problem[] = [];
  let parsed: X509Certificate | undefined;
  try {
    parsed = new X509Certificate(certificate);
  } catch {
    problems.push({
      path: "tls.certificate",
      reason: "is not a PEM certificate",
      remedy: "give the text of the certificate file, chain included",
    });
  }
  let key: ReturnType<typeof createPrivateKey> | undefined;
  try {
    key = createPrivateKey(privateKey);
  } catch {
    problems.push({
      path: "tls.privateKey",
      reason: "is not an unencrypted PEM private key",
      remedy: "give the text of the key file, decrypted",
    });
  }
  if (parsed && key && !parsed.checkPrivateKey(key))
    problems.push({
      path: "tls.privateKey",
      reason: "does not belong to tls.certificate",
      remedy: "give the key the certificate was made with",
    });
  if (parsed) {
    if (!names(parsed, hostname))
      problems.push({
        path: "tls.certificate",
        reason: `does not name ${hostname} (it names: ${parsed.subjectAltName ?? "nothing"})`,
        remedy: "get a certificate with that name, or change hostname",
      });
    if (parsed.validToDate.getTime() < Date.now())
      problems.push({
        path: "tls.certificate",
        reason: `expired on ${parsed.validToDate.toISOString().slice(0, 10)}`,
        remedy: "get a new certificate",
      });
    if (parsed.validFromDate.getTime() > Date.now())
      problems.push({
        path: "tls.certificate",
        reason: `is valid only from ${parsed.validFromDate.toISOString().slice(0, 16)}Z on`,
        remedy: "wait until then, get another certificate, or mend this machine's clock",
      });
  }
  return problems;
}

/** Whether a PEM certificate can be read and is for this host name or address. */
export function certificateNames(certificate: string, hostname: string): boolean {
  try {
    return names(new X509Certificate(certificate), hostname);
  } catch {
    return false;
  }
}

/** By the alternative names alone: Docker and every other client of today ignores the common name. */
const names = (certificate: X509Certificate, hostname: string) =>
  (isIP(hostname) ? certificate.checkIP(hostname) : certificate.checkHost(hostname, { subject: "never" })) !==
  undefined;
