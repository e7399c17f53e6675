/** Are the inputs of the right kind? Adds defaults, and never repeats a value: it may be a key. */
import { DEFAULTS } from "./connection.ts";
import {
  containsSecret,
  isObject,
  isSecret,
  isUnknown,
  type PropertyMap,
  secret,
  withoutNulls,
} from "./property-value.ts";

export interface Failure {
  /** Empty where the engine would print the value beside the reason and must not. */
  property: string;
  reason: string;
}

export interface Checked {
  inputs: PropertyMap;
  failures: Failure[];
}

type Kind = "string" | "float64" | "int" | "bool" | "[]string" | "map[string]string" | "[]interface {}" | Fields;
interface Fields {
  name: string;
  required: string[];
  kinds: Record<string, Kind>;
}

const ENDPOINT: Record<string, Kind> = {
  host: "string",
  port: "float64",
  user: "string",
  password: "string",
  privateKey: "string",
  privateKeyPassword: "string",
  hostKey: "string",
  agentSocketPath: "string",
  dialErrorLimit: "int",
  perDialTimeout: "int",
};
const PROXY: Fields = { name: "remote.ProxyConnection", required: ["host"], kinds: ENDPOINT };
const CONNECTION: Fields = { name: "remote.Connection", required: ["host"], kinds: { ...ENDPOINT, proxy: PROXY } };
const ANYWHERE: Record<string, Kind> = {
  stdin: "string",
  logging: "string",
  environment: "map[string]string",
  addPreviousOutputInEnv: "bool",
};
const HERE: Record<string, Kind> = {
  ...ANYWHERE,
  interpreter: "[]string",
  dir: "string",
  assetPaths: "[]string",
  archivePaths: "[]string",
};
const LIFE: Record<string, Kind> = {
  create: "string",
  update: "string",
  delete: "string",
  triggers: "[]interface {}",
};

const SHAPES: Record<string, Fields> = {
  "command:local:Command": { name: "local.CommandInputs", required: [], kinds: { ...LIFE, ...HERE } },
  "command:remote:Command": {
    name: "remote.CommandInputs",
    required: ["connection"],
    kinds: { ...LIFE, ...ANYWHERE, connection: CONNECTION },
  },
  "command:local:run": { name: "local.RunInputs", required: ["command"], kinds: { ...HERE, command: "string" } },
};

export function check(type: string, given: PropertyMap): Checked {
  const shape = SHAPES[type];
  const inputs = withoutNulls(given);
  if (shape === undefined) return { inputs, failures: [{ property: "", reason: notHere(type) }] };

  const failures = problems(inputs, shape, "").map(({ path, reason }) =>
    mayBePrinted(path, inputs) ? { property: path, reason } : { property: "", reason: `${path}: ${reason}` },
  );
  for (const name of ["assetPaths", "archivePaths"]) {
    if (inputs[name] === undefined) continue;
    failures.push({
      property: name,
      reason: "the stand-in for the command plugin reads no files back; print them instead",
    });
  }
  if (inputs.connection !== undefined) {
    inputs.connection = secret(failures.length > 0 ? inputs.connection : completed(inputs.connection));
  }
  return { inputs, failures };
}

/** Why a resource or function of the official plugin is refused. */
export function notHere(type: string): string {
  return `${type} is not part of this stand-in for the command plugin; it needs the official pulumi-resource-command`;
}

/** The engine prints the whole value of the property that a failure names. */
function mayBePrinted(path: string, inputs: PropertyMap): boolean {
  const top = path.split(/[.[]/)[0] ?? "";
  if (inputs[top] === undefined) return true;
  return top !== "connection" && top !== "stdin" && !containsSecret(inputs[top]);
}

interface Problem {
  path: string;
  reason: string;
}

function problems(value: PropertyMap, { name, required, kinds }: Fields, at: string): Problem[] {
  const found: Problem[] = [];
  const add = (path: string, reason: string) => found.push({ path: at + path, reason });
  const expect = (field: string, kind: Kind, given: unknown) => {
    const inner = isSecret(given) ? given.value : given;
    if (inner === undefined || inner === null || isUnknown(inner)) return;
    if (typeof kind === "object" && isObject(inner)) found.push(...problems(inner, kind, `${at}${field}.`));
    else if (kind === "[]string" && Array.isArray(inner)) {
      for (const [index, item] of inner.entries()) expect(`${field}[${index}]`, "string", item);
    } else if (kind === "map[string]string" && isObject(inner)) {
      for (const [key, item] of Object.entries(inner)) expect(`${field}[${key}] value`, "string", item);
    } else if (!fits(inner, kind)) {
      const expected = typeof kind === "object" ? kind.name : kind;
      add(field, `Field '${field}' on '${name}' must be a '${expected}'; got '${kindOf(inner)}' instead`);
    }
  };

  for (const field of required) {
    if (value[field] === undefined || value[field] === null) {
      add(field, `Missing required field '${field}' on '${name}'`);
    }
  }
  for (const [field, kind] of Object.entries(kinds)) expect(field, kind, value[field]);
  for (const field of Object.keys(value)) {
    if (!(field in kinds)) add(field, `Unrecognized field '${field}' on '${name}'`);
  }
  return found;
}

function fits(value: unknown, kind: Kind): boolean {
  if (kind === "bool") return typeof value === "boolean";
  if (kind === "float64" || kind === "int") return typeof value === "number";
  return kind === "[]interface {}" ? Array.isArray(value) : typeof value === kind;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "number") return "float64";
  if (typeof value === "boolean") return "bool";
  return typeof value === "object" ? "map[string]interface {}" : typeof value;
}

const CONFIDENTIAL = ["password", "privateKey", "privateKeyPassword"];
const WHOLE = ["dialErrorLimit", "perDialTimeout"];

/** Defaults filled in, whole numbers made whole, keys and passphrases marked; a jump host likewise. */
function completed(endpoint: unknown): unknown {
  if (isSecret(endpoint)) return secret(completed(endpoint.value));
  if (!isObject(endpoint)) return endpoint; // Not known yet.
  const filled: PropertyMap = { ...DEFAULTS, ...withoutNulls(endpoint) };
  for (const name of WHOLE) if (typeof filled[name] === "number") filled[name] = Math.trunc(filled[name]);
  for (const name of CONFIDENTIAL) if (filled[name] !== undefined) filled[name] = secret(filled[name]);
  if (filled.proxy !== undefined) filled.proxy = completed(filled.proxy);
  return filled;
}
