import type { Config } from "../stacks/config.ts";
import {
  type DerivedLabel,
  deriveSecret,
  fingerprint,
  placeholder,
  type Secret,
  type SecretLabel,
  secretLabels,
} from "./model/secrets.ts";

/** All secrets of a stack: derived from the root secret, made by `init`, or given by the user. */
export function stackSecrets(config: Config): Secret[] {
  const derived = (Object.keys(secretLabels) as DerivedLabel[]).map((label): Secret => {
    const given = givenSecrets(config)[label];
    return given === undefined
      ? { label, tag: "1", value: deriveSecret(config.rootSecret, label, 1) }
      : { label, tag: fingerprint(config.rootSecret, given), value: given };
  });
  const made = (label: SecretLabel, value: string): Secret => ({
    label,
    tag: fingerprint(config.rootSecret, value),
    value,
  });
  const { identity, tls } = config;
  return [
    ...derived,
    made("harbor.tokenKey", identity.tokenKey),
    made("harbor.tokenCertificate", identity.tokenCertificate),
    made("endpoint.certificate", tls?.certificate ?? identity.certificate),
    made("endpoint.privateKey", tls?.privateKey ?? identity.privateKey),
    made("internal.certificate", identity.internalCertificate),
    made("internal.privateKey", identity.internalKey),
    ...(config.record ? [made("record.secretAccessKey", config.record.s3.secretAccessKey)] : []),
    ...(config.storage.s3
      ? [
          made("storage.accessKeyId", config.storage.s3.accessKeyId),
          made("storage.secretAccessKey", config.storage.s3.secretAccessKey),
        ]
      : []),
    ...(config.postgres.external ? [made("postgres.external", config.postgres.external.password)] : []),
    ...(config.notify?.webhook ? [made("notify.webhook", config.notify.webhook)] : []),
  ];
}

/** What takes the place of a derived secret. */
const givenSecrets = ({ harbor, redis }: Config): Partial<Record<DerivedLabel, string>> => ({
  "harbor.adminPassword": harbor.adminPassword,
  "redis.password": redis.external?.password,
});

/** Looks a secret's placeholder up by label. */
export function placeholders(secrets: Pick<Secret, "label" | "tag">[]): (label: SecretLabel) => string {
  return (label) => {
    const secret = secrets.find((candidate) => candidate.label === label);
    if (!secret) throw new Error(`no secret ${label}`);
    return placeholder(secret);
  };
}
