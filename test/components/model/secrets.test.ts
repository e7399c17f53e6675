import { describe, expect, test } from "vitest";
import {
  type DerivedLabel,
  deriveSecret,
  fingerprint,
  isPublic,
  placeholder,
  placeholderPattern,
  secretLabels,
} from "../../../components/model/secrets.ts";
import { stackSecrets } from "../../../components/secrets.ts";
import { makeRootSecret } from "../../../scripts/init/make-secret.ts";
import { sampleConfig } from "../../support/sample.ts";

const labels = Object.keys(secretLabels) as DerivedLabel[];

describe("a derived secret", () => {
  // Computed by another program from RFC 5869 (SHA-256, salt `harbor-ha`, info `label:version`). A change locks every stack out of its own database and makes the credentials stored in Harbor unreadable.
  test("is for ever the same for the same root secret, label and version", () => {
    const derived = Object.fromEntries(labels.map((label) => [label, deriveSecret("root-of-the-vectors", label, 1)]));
    expect(derived).toEqual({
      "postgres.harbor": "TQOHbrpzV_mpnNPcbDQcJ7YGYfYkbzoK",
      "postgres.replication": "kI3-Dm0Dc9COWtub9OfzcPhAtMG2uLaW",
      "redis.password": "tvoLbhsxA4qP7tcVBkvlC56VVMGTeEdf",
      "harbor.adminPassword": "P3BDAF1qTGvX69lHlRMQVfzT",
      "harbor.secretKey": "j1uECYlFsnCV_Jg_",
      "harbor.coreSecret": "ij2IH2DVymikWcu8",
      "harbor.jobserviceSecret": "IawGDiREQZ5qRswU",
      "harbor.csrfKey": "jzFtGLlZxH4O8oHcTWYj3fTKKsJLLWkQ",
    });
    expect(deriveSecret("root-of-the-vectors", "redis.password", 2)).toBe("v1h3qoXyBjxPWhomNoLjjGFNBrRejrU4");
  });

  test("differs by root secret, label and version", () => {
    const values = labels.flatMap((label) =>
      ["one", "other"].flatMap((root) => [1, 2].map((version) => deriveSecret(root, label, version))),
    );
    expect(new Set(values).size).toBe(labels.length * 4);
  });

  test.each(labels)(
    "%s has the length Harbor needs, letters, digits, _ and - only, and begins with a letter",
    (label) => {
      for (let count = 0; count < 200; count++) {
        const value = deriveSecret(`root ${count}`, label, 1);
        expect(value).toHaveLength(secretLabels[label].length);
        expect(value).toMatch(/^[A-Za-z][A-Za-z0-9_-]*$/);
      }
    },
  );

  test("has the lengths that Harbor's own code asks for", () => {
    expect(secretLabels["harbor.secretKey"].length).toBe(16);
    expect(secretLabels["harbor.csrfKey"].length).toBe(32);
  });
});

describe("a placeholder", () => {
  test("names a secret by label and version, and is found in a text", () => {
    expect(placeholder({ label: "postgres.harbor", tag: "1" })).toBe("@{postgres.harbor:1}");
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell script may hold
    const text = "a @{postgres.harbor:1}@{endpoint.privateKey:0a1b} @{not a placeholder} ${env} @{x}";
    expect([...text.matchAll(placeholderPattern)].map(([, key]) => key)).toEqual([
      "postgres.harbor:1",
      "endpoint.privateKey:0a1b",
    ]);
  });

  test("of every secret of a stack is one that apply finds, and its tag tells nothing of the value", () => {
    for (const secret of stackSecrets(sampleConfig)) {
      expect([...placeholder(secret).matchAll(placeholderPattern)].map(([, key]) => key)).toEqual([
        `${secret.label}:${secret.tag}`,
      ]);
      expect(secret.tag).toMatch(/^(1|[0-9a-f]{12})$/);
    }
  });

  test("is public for certificates only", () => {
    const keys = stackSecrets(sampleConfig).map(({ label, tag }) => `${label}:${tag}`);
    expect(keys.filter(isPublic).map((key) => key.split(":")[0])).toEqual([
      "harbor.tokenCertificate",
      "endpoint.certificate",
      "internal.certificate",
    ]);
  });
});

describe("a secret that the user gives", () => {
  const given = (adminPassword: string) => ({ ...sampleConfig, harbor: { ...sampleConfig.harbor, adminPassword } });
  const admin = (config: typeof sampleConfig) =>
    stackSecrets(config).find(({ label }) => label === "harbor.adminPassword");

  test("replaces the derived one; a change shows in its tag, so that the files change", () => {
    expect(admin(given("Chosen-password"))?.value).toBe("Chosen-password");
    expect(admin(given("Chosen-password"))?.tag).not.toBe(admin(given("Another-password"))?.tag);
    expect(admin(given("Chosen-password"))?.tag).toBe(admin(given("Chosen-password"))?.tag);
  });

  test("has another fingerprint in every stack, so that equal values cannot be told", () => {
    expect(fingerprint("one", "value")).not.toBe(fingerprint("other", "value"));
  });
});

test("one's own certificate and key take the place of init's for the endpoint, and only there", () => {
  const config = { ...sampleConfig, tls: { certificate: "own certificate", privateKey: "own key" } };
  const values = Object.fromEntries(stackSecrets(config).map(({ label, value }) => [label, value]));
  expect(values["endpoint.certificate"]).toBe("own certificate");
  expect(values["endpoint.privateKey"]).toBe("own key");
  expect(values["internal.certificate"]).toBe(config.identity.internalCertificate);
});

test("a root secret is 256 bits of letters and digits, begins with a letter and is never the same", () => {
  const made = Array.from({ length: 100 }, makeRootSecret);
  for (const secret of made) expect(secret).toMatch(/^[A-Za-z][A-Za-z0-9]{42}$/);
  expect(new Set(made).size).toBe(100);
});
