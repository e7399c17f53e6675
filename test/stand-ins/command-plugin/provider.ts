/** The life of a command resource, without the protocol around it. */
import { randomBytes } from "node:crypto";

import { type Checked, check as checkInputs, type Failure, notHere } from "./check.ts";
import { type Difference, diff } from "./diff.ts";
import { runLocally } from "./local-command.ts";
import { equal, isUnknown, type PropertyMap, plain, UNKNOWN } from "./property-value.ts";
import { runRemotely } from "./remote-command.ts";
import type { Context, Printed, Run } from "./run.ts";

export const VERSION = "1.2.1";
export const DESCRIPTION =
  "A stand-in for pulumi-resource-command 1.2.1, for networks where the official plugin cannot be downloaded";

export interface Call extends Context {
  preview: boolean;
}

export interface Created {
  id: string;
  outputs: PropertyMap;
}

const RUNS: Record<string, Run> = { "command:local:Command": runLocally, "command:remote:Command": runRemotely };

export function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").pop() ?? "";
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

function runOf(urn: string): Run {
  const run = RUNS[typeOf(urn)];
  if (run === undefined) throw new Error(notHere(typeOf(urn)));
  return run;
}

export function check(urn: string, news: PropertyMap): Checked {
  return checkInputs(typeOf(urn), news);
}

export type { Difference };
export { diff };

export async function create(urn: string, inputs: PropertyMap, { preview, ...context }: Call): Promise<Created> {
  const id = `${nameOf(urn)}${randomBytes(4).toString("hex")}`;
  const run = runOf(urn);
  if (preview) return { id, outputs: { ...inputs, stdout: UNKNOWN, stderr: UNKNOWN } };
  const printed = inputs.create === undefined ? nothing : await run(inputs.create, inputs, {}, context);
  return { id, outputs: { ...inputs, ...printed } };
}

export async function update(
  urn: string,
  olds: PropertyMap,
  news: PropertyMap,
  { preview, ...context }: Call,
): Promise<PropertyMap> {
  const previous = printedBefore(olds);
  const run = runOf(urn);
  if (preview) {
    const changed = Object.keys({ ...news, ...inputsOf(olds) }).some(
      (name) => isUnknown(plain(news[name])) || !equal(news[name], olds[name]),
    );
    return { ...news, ...(changed ? { stdout: UNKNOWN, stderr: UNKNOWN } : previous) };
  }
  const command = news.update ?? news.create;
  if (command === undefined) return { ...news, ...previous };
  return { ...news, ...(await run(command, news, plain(previous) as PropertyMap, context)) };
}

/** Only the old state counts: its command, its connection. */
export async function remove(urn: string, state: PropertyMap, context: Context): Promise<void> {
  const run = runOf(urn);
  if (state.delete === undefined || state.delete === null) return;
  await run(state.delete, state, plain(printedBefore(state)) as PropertyMap, context);
}

/** A refresh looks at nothing and runs nothing. */
export function read(state: PropertyMap, inputs: PropertyMap): { state: PropertyMap; inputs: PropertyMap } {
  return { state, inputs };
}

/** `local.run`: no resource; it runs in every preview and every update. */
export async function invoke(
  token: string,
  args: PropertyMap,
  context: Context,
): Promise<{ outputs: PropertyMap; failures: Failure[] }> {
  const { inputs, failures } = checkInputs(token, args);
  if (failures.length > 0) return { outputs: {}, failures };
  return { outputs: { ...inputs, ...(await runLocally(inputs.command, inputs, {}, context)) }, failures };
}

const nothing: Printed = { stdout: "", stderr: "" };

function printedBefore(state: PropertyMap): PropertyMap {
  return { stdout: state.stdout ?? "", stderr: state.stderr ?? "" };
}

function inputsOf(state: PropertyMap): PropertyMap {
  const { stdout: _stdout, stderr: _stderr, ...inputs } = state;
  return inputs;
}
