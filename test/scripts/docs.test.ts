import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { documents as make } from "../../scripts/docs.ts";
import { configSchema } from "../../stacks/config.ts";

const documents = make();

test.each(Object.keys(documents))("%s is what the code says now (npm run docs writes it anew)", (path) => {
  expect(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")).toBe(documents[path]);
});

test("every option has a row with a description", () => {
  const rows = documents["docs/config.md"]?.split("\n").filter((line) => line.startsWith("| `")) ?? [];
  for (const name of Object.keys(configSchema.shape))
    expect(rows.filter((row) => row.startsWith(`| \`${name}\``) || row.startsWith(`| \`${name}.`))).not.toEqual([]);
  for (const row of rows) expect(row).toMatch(/ \| [A-Z][^|]{15,} \|$/);
});

test("every secret is marked as one", () => {
  const secrets = [...(documents["docs/config.md"] ?? "").matchAll(/^\| `([^`]+)`.*\*\*Secret\.\*\*/gm)].map(
    ([, path]) => path,
  );
  expect(secrets).toEqual(expect.arrayContaining(["rootSecret", "tls.privateKey", "harbor.adminPassword"]));
  expect(secrets.filter((path) => path?.startsWith("identity."))).toHaveLength(8);
});
