/** A project in a temporary directory, run by the real engine with this plugin on its PATH. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";

import type { PropertyMap } from "../property-value.ts";

const REPOSITORY = resolve(import.meta.dirname, "../../../..");
const NODE = join(REPOSITORY, "node_modules/.bin/node");

/** What the program makes: `{ $secret: x }` stands for a secret, `{ $stdoutOf: name }` for another one's output. */
export interface Wanted {
  kind: "local" | "remote" | "run";
  args: PropertyMap;
}

const PROGRAM = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { local, remote } from "@pulumi/command";

const made = {};
const value = (given) => {
  if (Array.isArray(given)) return given.map(value);
  if (typeof given !== "object" || given === null) return given;
  if ("$secret" in given) return pulumi.secret(value(given.$secret));
  if ("$stdoutOf" in given) return made[given.$stdoutOf].stdout;
  return Object.fromEntries(Object.entries(given).map(([key, inner]) => [key, value(inner)]));
};
export const outputs = {};
for (const [name, { kind, args }] of Object.entries(JSON.parse(readFileSync("wanted.json", "utf8")))) {
  if (kind === "run") outputs[name] = local.runOutput(value(args)).stdout;
  else made[name] = new { local, remote }[kind].Command(name, value(args));
  if (made[name]) outputs[name] = { id: made[name].id, stdout: made[name].stdout };
}
`;

export interface Result {
  code: number | null;
  text: string;
}

export interface StateEntry {
  id: string;
  inputs: PropertyMap;
  outputs: PropertyMap;
}

export class Engine {
  readonly directory: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(directory: string) {
    this.directory = directory;
    const { SSH_AUTH_SOCK: _, ...env } = process.env;
    this.#env = {
      ...env,
      PATH: [this.file("bin"), join(REPOSITORY, "node_modules/.bin"), process.env.PATH].join(delimiter),
      PULUMI_HOME: this.file("home"),
      PULUMI_BACKEND_URL: `file://${this.file("state")}`,
      PULUMI_CONFIG_PASSPHRASE: "a passphrase",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
  }

  file(name: string): string {
    return join(this.directory, name);
  }

  content(name: string): Promise<string> {
    return readFile(this.file(name), "utf8").catch(() => "");
  }

  start(...args: string[]): { child: ChildProcess; result: Promise<Result> } {
    const child = spawn("pulumi", [...args, "--non-interactive"], { cwd: this.file("project"), env: this.#env });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
    return { child, result: new Promise((done) => child.on("close", (code) => done({ code, text }))) };
  }

  pulumi(...args: string[]): Promise<Result> {
    return this.start(...args).result;
  }

  async want(wanted: Record<string, Wanted>): Promise<void> {
    await writeFile(this.file("project/wanted.json"), JSON.stringify(wanted));
  }

  async up(wanted: Record<string, Wanted>): Promise<Result> {
    await this.want(wanted);
    return this.pulumi("up", "--yes", "--skip-preview", "--color", "never");
  }

  async preview(wanted: Record<string, Wanted>): Promise<Result> {
    await this.want(wanted);
    return this.pulumi("preview", "--color", "never");
  }

  destroy(): Promise<Result> {
    return this.pulumi("destroy", "--yes", "--skip-preview", "--color", "never");
  }

  /** The command resources of the stack's state, by name. */
  async state(): Promise<{ text: string; resources: Record<string, StateEntry> }> {
    const { text } = await this.pulumi("stack", "export");
    const all = JSON.parse(text).deployment.resources as (StateEntry & { urn: string; type: string })[];
    const commands = (all ?? []).filter(({ type }) => type.startsWith("command:"));
    return { text, resources: Object.fromEntries(commands.map((entry) => [entry.urn.split("::")[3], entry])) };
  }
}

export async function startEngine(): Promise<{ engine: Engine; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "engine-"));
  const engine = new Engine(directory);
  for (const name of ["bin", "home", "state", "project"]) await mkdir(engine.file(name));
  const main = resolve(import.meta.dirname, "../main.ts");
  const wrapper = engine.file("bin/pulumi-resource-command");
  await writeFile(wrapper, `#!/bin/sh\nexec "${NODE}" "${main}" "$@"\n`);
  await chmod(wrapper, 0o755);
  await symlink(join(REPOSITORY, "node_modules"), engine.file("project/node_modules"));
  const runtime = "runtime: {name: nodejs, options: {typescript: false}}";
  await writeFile(engine.file("project/Pulumi.yaml"), `name: stand-in\n${runtime}\nmain: index.js\n`);
  await writeFile(engine.file("project/package.json"), '{"type": "module", "main": "index.js"}\n');
  await writeFile(engine.file("project/index.js"), PROGRAM);
  const { code, text } = await engine.pulumi("stack", "init", "test");
  if (code !== 0) throw new Error(text);
  return { engine, remove: () => rm(directory, { recursive: true, force: true }) };
}
