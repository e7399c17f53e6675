/** What a lab is made of, checked before anything is built, and remembered beside it. */
import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { LabError } from "./errors.ts";
import { specFile } from "./paths.ts";

export interface LabSpec {
  name: string;
  /** For example "10.231.77.0/24"; the machine's side is .1. */
  subnet: string;
  nodes: { name: string; address: string }[];
  /** Debian packages downloaded (not installed) into the base, so that apt in the hosts needs no network. */
  prefetch: string[];
}

const validName = /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/;
const validPackage = /^[a-z0-9][a-z0-9+.-]+$/;

/** Throws once, with every problem. */
export function checkSpec(spec: LabSpec): void {
  const problems: string[] = [];
  const expect = (fine: boolean, problem: string) => fine || problems.push(problem);
  expect(validName.test(spec.name), `name: "${spec.name}" must be lower-case letters, digits and dashes`);
  const network = /^(\d+\.\d+\.\d+)\.0\/24$/.exec(spec.subnet);
  expect(network !== null && isIPv4(`${network[1]}.0`), `subnet: "${spec.subnet}" must look like "10.231.77.0/24"`);
  expect(spec.nodes.length > 0, "nodes: at least one is needed");
  for (const [index, node] of spec.nodes.entries()) {
    const at = `nodes[${index}]`;
    expect(validName.test(node.name), `${at}.name: "${node.name}" must be lower-case letters, digits and dashes`);
    const inside = isIPv4(node.address) && (!network || node.address.startsWith(`${network[1]}.`));
    const usable = inside && !/\.(0|1|255)$/.test(node.address);
    expect(usable, `${at}.address: "${node.address}" must be an address in ${spec.subnet}, other than .0, .1 and .255`);
  }
  for (const key of ["name", "address"] as const) {
    const values = spec.nodes.map((node) => node[key]);
    expect(new Set(values).size === values.length, `nodes: two have the same ${key}`);
  }
  for (const name of spec.prefetch) expect(validPackage.test(name), `prefetch: "${name}" is no package name`);
  if (problems.length > 0) throw new LabError(`The lab cannot be built like this:\n  ${problems.join("\n  ")}`);
}

/** A lab that exists may get more nodes; everything else needs a new one. */
export function checkChange(existing: LabSpec, wanted: LabSpec): void {
  const addressOf = new Map(wanted.nodes.map((node) => [node.name, node.address]));
  const kept = existing.nodes.every((node) => addressOf.get(node.name) === node.address);
  if (existing.subnet === wanted.subnet && kept) return;
  const describe = (spec: LabSpec) =>
    `${spec.subnet} (${spec.nodes.map((node) => `${node.name} ${node.address}`).join(", ")})`;
  throw new LabError(
    `Lab "${wanted.name}" exists as ${describe(existing)}, and was asked for as ${describe(wanted)}. ` +
      "Take it down first, or choose another name.",
  );
}

export function gatewayOf(spec: LabSpec): string {
  return spec.subnet.replace(/\.0\/24$/, ".1");
}

export function readSpec(name: string): LabSpec | undefined {
  try {
    return JSON.parse(readFileSync(specFile(name), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export function requireNode(name: string, node: string): { name: string; address: string } {
  const spec = readSpec(name);
  if (!spec) throw new LabError(`There is no lab "${name}". Build it with \`harbor-ha lab up\`.`);
  const found = spec.nodes.find((candidate) => candidate.name === node);
  if (found) return found;
  const names = spec.nodes.map((candidate) => candidate.name).join(", ");
  throw new LabError(`Lab "${name}" has no node "${node}"; it has ${names}.`);
}

export async function writeSpec(spec: LabSpec): Promise<void> {
  const path = specFile(spec.name);
  await writeFile(`${path}.new`, `${JSON.stringify(spec, null, 2)}\n`);
  await rename(`${path}.new`, path);
}
