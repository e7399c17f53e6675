// Writes docs/ from the configuration's own schema and the runbook (`npm run docs`).
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { guarantees, runbook } from "../components/runbook.ts";
import { configSchema } from "../stacks/config.ts";
import { projectDirectory } from "./paths.ts";

/** The part of a JSON Schema that the configuration's uses. */
interface OptionSchema {
  type?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, OptionSchema>;
  required?: string[];
  additionalProperties?: OptionSchema | false;
  anyOf?: OptionSchema[];
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  secret?: boolean;
}

/** Everything under docs/: text by path from the project's directory. Pure. */
export function documents(): Record<string, string> {
  return { ...configDocuments(), "docs/runbook.md": runbookDocument() };
}

function runbookDocument(): string {
  const entries = runbook.map(
    ({ when, run, expect, otherwise }) =>
      `## ${when}\n\n\`\`\`sh\n${run.join("\n")}\n\`\`\`\n\nExpect: ${expect}.\n\nIf not: ${otherwise}.\n`,
  );
  return `<!-- Made by \`npm run docs\` from components/runbook.ts. -->
# Runbook

The same text is the stack output \`runbook\`. Commands run in \`npm run shell\`, or with \`npx\`. Exit codes: 0 done, 1 failed, 2 refused by a
rule, 3 a host could not be asked.

${entries.join("\n")}
## What is guaranteed, and what is not

${guarantees.map((line) => `- ${line}\n`).join("")}`;
}

/** The documentation of all options. */
function configDocuments(): Record<string, string> {
  const schema = z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }) as OptionSchema;
  return {
    "docs/config.md": markdown(schema),
    "docs/config.schema.json": `${JSON.stringify({ title: "harbor-ha", ...schema }, null, 2)}\n`,
  };
}

function markdown(schema: OptionSchema): string {
  const sections = Object.entries(schema.properties ?? {});
  const single = sections.filter(([, option]) => !option.properties);
  const grouped = sections.filter(([, option]) => option.properties);
  return `<!-- Made by \`npm run docs\` from stacks/config.ts. -->
# Configuration

The options of a stack, each under the prefix \`harbor-ha:\` in \`Pulumi.<stack>.yaml\`. Set one with
\`pulumi config set --path harbor-ha:postgres.maxConnections 300\`, a secret with
\`pulumi config set --secret --path harbor-ha:tls.privateKey < key.pem\`. \`harbor-ha init\` makes everything marked "made by
\`init\`". All problems of a configuration are told at once, by \`pulumi preview\` already; an unknown option is one.
[config.schema.json](config.schema.json) is the same as a JSON Schema.

${table(rows(single, schema))}
${grouped
  .map(
    ([name, option]) =>
      `## ${name}\n\n${sentence(option, schema, name)}\n\n${table(rows(leaves(option, name), option, option.secret))}`,
  )
  .join("\n")}`;
}

/** Options of an object, those of nested objects included, by their path below the stack. */
function leaves(option: OptionSchema, path: string): [string, OptionSchema, boolean][] {
  return Object.entries(option.properties ?? {}).flatMap(([name, inner]): [string, OptionSchema, boolean][] => {
    const own = `${path}.${name}`;
    if (inner.properties) return leaves(inner, own);
    return [
      [own, inner, option.required?.includes(name) === true],
      ...(inner.anyOf ?? []).flatMap((form) => leaves(form, own)),
    ];
  });
}

function rows(options: [string, OptionSchema, boolean?][], parent: OptionSchema, secret = false): string[][] {
  return options.map(([path, option, required = parent.required?.includes(path) === true]) => [
    `\`${path}\``,
    type(option),
    option.default !== undefined ? `\`${JSON.stringify(option.default)}\`` : required ? requirement(path) : "–",
    `${option.description ?? ""}${secret || option.secret ? " **Secret.**" : ""}`,
  ]);
}

const requirement = (path: string) => (/^(rootSecret|identity\..*)$/.test(path) ? "made by `init`" : "required");

function sentence(option: OptionSchema, parent: OptionSchema, name: string): string {
  const needed = parent.required?.includes(name) ? "" : " May be left out.";
  return `${option.description ?? ""}${needed}`;
}

function type(option: OptionSchema): string {
  if (option.enum) return option.enum.map((value) => `\`${value}\``).join(", ");
  if (option.properties) return "an object, see below";
  if (option.anyOf) return option.anyOf.map(type).join(" or ");
  if (option.additionalProperties) return `object: name → ${type(option.additionalProperties)}`;
  const least = option.minimum === undefined || option.minimum < -1e9 ? "" : ` from ${option.minimum}`;
  const most = option.maximum === undefined || option.maximum > 1e9 ? "" : ` to ${option.maximum}`;
  const length = option.minLength === undefined ? "" : `, ${option.minLength} characters or more`;
  return `${option.type}${least}${most}${length}`;
}

const table = (rows: string[][]) =>
  [["Option", "Type", "Default", "Meaning and consequence"], ["---", "---", "---", "---"], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`)
    .join("");

if (import.meta.main) {
  for (const [path, text] of Object.entries(documents())) {
    mkdirSync(join(projectDirectory, "docs"), { recursive: true });
    writeFileSync(join(projectDirectory, path), text);
    console.error(`wrote ${path}`);
  }
}
