import { z } from "zod";
import { configSchema } from "../../stacks/config.ts";
import { table } from "./markdown.ts";

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

/** The documentation of all options, and their schema. Pure. */
export function configDocuments(): Record<string, string> {
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

${options(rows(single, schema))}
${grouped
  .map(
    ([name, option]) =>
      `## ${name}\n\n${sentence(option, schema, name)}\n\n${options(rows(leaves(option, name), option, option.secret))}`,
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

const options = (rows: string[][]) => table([["Option", "Type", "Default", "Meaning and consequence"], ...rows]);
