import { readFileSync } from "node:fs";
import { join } from "node:path";
import { labKeys } from "../../components/model/lab.ts";
import { stackSecrets } from "../../components/secrets.ts";
import { stackDirectory } from "../../scripts/paths.ts";
import { readConfig } from "../../stacks/config.ts";
import { type LabStack, testStack } from "./stack.ts";

/** Every secret value of the stack under test, long texts by their most telling line. Certificates are public. */
export async function allSecrets(stack: LabStack): Promise<string[]> {
  const { stdout } = await stack.ok("pulumi", "config", "--show-secrets", "--json");
  const entries = Object.entries(JSON.parse(stdout) as Record<string, { value: string }>);
  const result = readConfig(Object.fromEntries(entries.map(([key, { value }]) => [key, value])));
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  const { config } = result;
  const values = [
    config.rootSecret,
    config.identity.caKey,
    ...stackSecrets(config)
      .filter(({ label }) => !label.toLowerCase().endsWith("certificate"))
      .map(({ value }) => value),
    readFileSync(labKeys(testStack).identity, "utf8"),
    readFileSync(join(stackDirectory(testStack), "passphrase"), "utf8"),
  ];
  return values
    .map(
      (value) =>
        value
          .split("\n")
          .filter((line) => !line.startsWith("-----"))
          .at(value.includes("\n") ? 2 : 0) ?? "",
    )
    .filter((line) => line.length >= 16);
}
