import { createHmac, hkdfSync } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/** Every derived secret: its length, and whether a new version may be asked for (rotation). */
export const secretLabels = {
  "postgres.harbor": { length: 32 },
  "postgres.replication": { length: 32 },
  "redis.password": { length: 32 },
  "harbor.adminPassword": { length: 24 },
  /** Exactly 16 characters, or Harbor's prepare fails; a new one makes stored credentials unreadable, so there is none. */
  "harbor.secretKey": { length: 16 },
  "harbor.coreSecret": { length: 16 },
  "harbor.jobserviceSecret": { length: 16 },
  /** Exactly 32 characters, or every guarded request fails. */
  "harbor.csrfKey": { length: 32 },
} as const;
export type DerivedLabel = keyof typeof secretLabels;

/** Values that `init` makes once and the stack file keeps encrypted. */
export const madeLabels = [
  "harbor.tokenKey",
  "harbor.tokenCertificate",
  "endpoint.certificate",
  "endpoint.privateKey",
  "internal.certificate",
  "internal.privateKey",
  /** Given by the user, if at all. */
  "notify.webhook",
  "postgres.external",
  "record.secretAccessKey",
  "storage.accessKeyId",
  "storage.secretAccessKey",
] as const;
export type SecretLabel = DerivedLabel | (typeof madeLabels)[number];

/**
 * One secret of the stack: `tag` is its version (`1`, `2`, …) or, for a given value, a keyed fingerprint that reveals nothing.
 * The value is a text, or one that only the cloud knows (an output).
 */
export interface Secret<Value = string> {
  label: SecretLabel;
  tag: string;
  value: Value;
}

/** HKDF of the root secret: letters, digits, `_` and `-` only (Harbor breaks on others), the first a letter. */
export function deriveSecret(rootSecret: string, label: DerivedLabel, version: number): string {
  return deriveText(rootSecret, `${label}:${version}`, secretLabels[label].length);
}

/** The same for something that needs no version. */
export function deriveText(rootSecret: string, info: string, length: number): string {
  const bytes = Buffer.from(hkdfSync("sha256", rootSecret, "harbor-ha", info, length));
  // The first character from the 52 letters; the bias of `%` on a byte costs a fraction of a bit each.
  return [...bytes].map((byte, index) => alphabet[byte % (index === 0 ? 52 : alphabet.length)]).join("");
}

/** A short fingerprint for a value given by the user, keyed by the root secret, so that a change shows and the value does not. */
export function fingerprint(rootSecret: string, value: string): string {
  return createHmac("sha256", rootSecret).update(value).digest("hex").slice(0, 12);
}

/** How a file names a secret; apply puts the value in its place on the host. */
export const placeholder = (secret: Pick<Secret, "label" | "tag">) => `@{${secret.label}:${secret.tag}}`;

/** Matches every placeholder; group 1 is `label:tag`. */
export const placeholderPattern = /@\{([a-zA-Z.]+:[a-zA-Z0-9]+)\}/g;

/** Whether everybody may read the value behind a placeholder: certificates are shown to whoever connects. */
export const isPublic = (key: string) => /certificate:/i.test(key);
