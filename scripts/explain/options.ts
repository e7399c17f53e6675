import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { formatProblems } from "../../components/model/problems.ts";
import { type Options, type RawConfig, readOptions } from "../../stacks/config.ts";
import { selectedStack } from "../cluster/stack-config.ts";
import { projectDirectory } from "../paths.ts";
import { UserError } from "../user-error.ts";

/** Stands for what is encrypted in a stack file: nothing here looks at a secret. */
const unread = "notReadHere0";

/** The options of a stack file; without one, of the selected stack's. No secret is opened. */
export async function optionsOf(file?: string): Promise<Options> {
  const path = file ?? join(projectDirectory, `Pulumi.${await selectedStack()}.yaml`);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new UserError(
      `there is no stack file ${path}: name one with --config, or select a stack (pulumi stack select)`,
    );
  }
  const result = readOptions(rawOf(path, text));
  if ("problems" in result) throw new UserError(formatProblems(result.problems));
  return result.options;
}

function rawOf(path: string, text: string): RawConfig {
  let config: unknown;
  try {
    config = (parse(text) as { config?: unknown } | null)?.config;
  } catch (error) {
    throw new UserError(`${path} is no YAML: ${(error as Error).message.split("\n")[0]}`);
  }
  if (typeof config !== "object" || config === null) throw new UserError(`${path} has no \`config\``);
  return Object.fromEntries(
    Object.entries(config)
      // Keys and certificates say nothing about shape or price.
      .filter(([key]) => !/:(rootSecret|identity|tls|notify)$/.test(key))
      .map(([key, value]) => {
        const plain = withoutSecrets(value);
        return [key, typeof plain === "string" ? plain : JSON.stringify(plain)];
      }),
  );
}

/** Pulumi writes a secret as `{secure: …}`, wherever it stands. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  if ("secure" in value) return unread;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
}
