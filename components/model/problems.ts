import { distance } from "fastest-levenshtein";
import { z } from "zod";

/** One thing wrong with the configuration: where, why, what to do. */
export interface Problem {
  path: string;
  reason: string;
  remedy: string;
}

const withInstaller = "run `npx harbor-ha init --installer-file <path> --installer-sha256 <digits>`";
/** Options whose absence `init` mends. */
const madeByInit: Record<string, string> = {
  rootSecret: "run `npx harbor-ha init`",
  identity: "run `npx harbor-ha init`",
  harbor: withInstaller,
  "harbor.installer": withInstaller,
};

/** Turns zod's issues into problems; unknown keys get the closest known one. Never quotes a value, it may be a secret. */
export function describeIssues(error: z.ZodError, schema: z.ZodType): Problem[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as OptionSchema;
  const describe = (issue: z.core.$ZodIssue): Problem[] => {
    const path = issue.path.map(String);
    const problem = (reason: string, remedy = setRemedy(path, json)): Problem[] => [
      { path: path.join("."), reason, remedy },
    ];
    const missing = () => problem("required, but not set", madeByInit[path.join(".")]);
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => ({
          path: [...path, key].join("."),
          reason: "unknown option",
          remedy: suggestion(key, Object.keys(propertiesOf(optionsAlong(json, path).at(-1)))),
        }));
      case "invalid_type":
        return isMissing(issue) ? missing() : problem(`must be ${typeNames[issue.expected] ?? issue.expected}`);
      case "invalid_value":
        return problem(`must be one of ${issue.values.map(String).join(", ")}`);
      case "too_small":
        return problem(issue.origin === "string" ? issue.message : `must be at least ${issue.minimum}`);
      case "too_big":
        return problem(`must be at most ${issue.maximum}`);
      case "invalid_key":
        return problem(issue.issues[0]?.message ?? issue.message, "correct the name, or remove it");
      case "invalid_union": {
        const meant = issue.errors.find((alternative) => !alternative.some(isWrongType));
        if (meant) return meant.flatMap((inner) => describe({ ...inner, path: [...issue.path, ...inner.path] }));
        return issue.errors.flat().every(isMissing) ? missing() : problem(unionReason(issue.errors.flat()));
      }
      default:
        return problem(issue.message);
    }
  };
  return error.issues.flatMap(describe);
}

const isMissing = ({ message }: z.core.$ZodIssue) => message.includes("received undefined");

/** Whether the value as a whole is of another type than this alternative. */
const isWrongType = ({ code, path }: z.core.$ZodIssue) => code === "invalid_type" && path.length === 0;

const typeNames: Record<string, string> = {
  string: "a text (in quotes if it looks like a number)",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "an object with options of its own",
  record: "an object of names and values",
};

function unionReason(issues: z.core.$ZodIssue[]): string {
  const types = issues.flatMap((issue) => (issue.code === "invalid_type" ? [issue.expected] : []));
  return `must be ${types.join(", ").replace(/, ([^,]*)$/, " or $1")}`;
}

/** How to set an option. A secret's value is asked for by the command: it belongs neither on a command line nor in a file in clear. */
function setRemedy(path: string[], json: OptionSchema): string {
  const parts = optionsAlong(json, path);
  const key = path
    .map((step, index) => (/^\w+$/.test(step) ? (index > 0 ? `.${step}` : step) : `["${step}"]`))
    .join("");
  if (parts.at(-1)?.properties) return `pulumi config set --path harbor-ha:${key}.<option> <value>`;
  const nested = path.length > 1 ? "--path " : "";
  return parts.some(({ secret }) => secret)
    ? `pulumi config set --secret ${nested}harbor-ha:${key}`
    : `pulumi config set ${nested}harbor-ha:${quoted(key)} <value>`;
}

const quoted = (key: string) => (key.includes('"') ? `'${key}'` : key);

function suggestion(key: string, known: string[]): string {
  const best = known
    .map((candidate) => ({ candidate, edits: distance(key.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)[0];
  if (best && best.edits <= Math.max(2, key.length / 3)) return `did you mean \`${best.candidate}\`?`;
  return `remove it; known here: ${known.join(", ")}`;
}

/** The schema's parts from the whole down to a path. */
function optionsAlong(json: OptionSchema, path: string[]): [OptionSchema, ...OptionSchema[]] {
  const [step, ...rest] = path;
  return step === undefined ? [json] : [json, ...optionsAlong(propertiesOf(json)[step] ?? {}, rest)];
}
interface OptionSchema {
  properties?: Record<string, OptionSchema>;
  anyOf?: OptionSchema[];
  secret?: boolean;
}

/** The options inside one; where it may also be a plain value, those of its object form. */
const propertiesOf = (json: OptionSchema | undefined) =>
  json?.properties ?? json?.anyOf?.find(({ properties }) => properties)?.properties ?? {};

/** One text for people: every problem on its own lines. */
export function formatProblems(problems: Problem[]): string {
  const lines = problems.map((problem) => `  harbor-ha:${problem.path}: ${problem.reason}\n    → ${problem.remedy}`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `${count} in the stack's configuration; nothing was changed:\n${lines.join("\n")}`;
}
