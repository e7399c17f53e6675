import { distance } from "fastest-levenshtein";
import { z } from "zod";

/** One thing wrong with the configuration: where, why, what to do. */
export interface Problem {
  path: string;
  reason: string;
  remedy: string;
}

/** Options whose absence `init` mends. */
const madeByInit = new Set(["rootSecret", "identity", "harbor"]);

/** Turns zod's issues into problems; unknown keys get the closest known one. Never quotes a value, it may be a secret. */
export function describeIssues(error: z.ZodError, schema: z.ZodType): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const path = issue.path.map(String);
    const where = path.join(".");
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({
        path: [...path, key].join("."),
        reason: "unknown option",
        remedy: suggestion(key, knownKeys(schema, path)),
      }));
    const missing = issue.code === "invalid_type" && issue.message.includes("received undefined");
    if (missing)
      return [
        {
          path: where,
          reason: "required, but not set",
          remedy: madeByInit.has(path[0] ?? "") ? "run `npx harbor-ha init`" : setRemedy(path),
        },
      ];
    if (issue.code === "invalid_type")
      return [{ path: where, reason: `must be ${article(issue.expected)}`, remedy: setRemedy(path) }];
    if (issue.code === "invalid_value")
      return [
        { path: where, reason: `must be one of ${issue.values.map(String).join(", ")}`, remedy: setRemedy(path) },
      ];
    if (issue.code === "too_small" && issue.origin !== "string")
      return [{ path: where, reason: `must be at least ${issue.minimum}`, remedy: setRemedy(path) }];
    if (issue.code === "too_big")
      return [{ path: where, reason: `must be at most ${issue.maximum}`, remedy: setRemedy(path) }];
    return [{ path: where, reason: issue.message, remedy: setRemedy(path) }];
  });
}

const article = (type: string) => (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`);

const setRemedy = (path: string[]) => `pulumi config set --path harbor-ha:${path.join(".") || "<option>"} <value>`;

function suggestion(key: string, known: string[]): string {
  const best = known
    .map((candidate) => ({ candidate, edits: distance(key.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)[0];
  if (best && best.edits <= Math.max(2, key.length / 3)) return `did you mean \`${best.candidate}\`?`;
  return `remove it; known here: ${known.join(", ")}`;
}

/** The keys of the object at a path of the schema. */
function knownKeys(schema: z.ZodType, path: string[]): string[] {
  let json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonObject;
  for (const step of path) json = json.properties?.[step] ?? {};
  return Object.keys(json.properties ?? {});
}
interface JsonObject {
  properties?: Record<string, JsonObject>;
}

/** One text for people: every problem on its own lines. */
export function formatProblems(problems: Problem[]): string {
  const lines = problems.map((problem) => `  harbor-ha:${problem.path}: ${problem.reason}\n    → ${problem.remedy}`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `${count} in the stack's configuration; nothing was changed:\n${lines.join("\n")}`;
}
