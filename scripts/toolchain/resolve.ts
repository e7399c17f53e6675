import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import spawn from "nano-spawn";
import { cacheDirectory } from "../paths.ts";
import { UserError } from "../user-error.ts";
import type { Log } from "./environment.ts";
import { buildGoTools } from "./go-build.ts";
import { installStandIn } from "./stand-in-plugin.ts";
import { pulumiVersion } from "./version.ts";

/** Pinned exactly: npm's highest version of @pulumi/command is a wrong old build. */
const commandPluginVersion = "1.2.1";

/**
 * Finds or makes the Pulumi CLI, its Node.js language host and the `command` plugin: what PATH has, else the official
 * downloads, else (on a network that reaches only package registries) a Go build and the stand-in plugin.
 * @returns directories to put before PATH; empty when PATH has everything.
 */
export async function resolveToolchain(log: Log): Promise<string[]> {
  const cli = (await onPath("pulumi")) ?? (await officialCli(log)) ?? (await builtCli(log));
  return [...cli, ...(await commandPlugin(cli, log))];
}

async function onPath(program: string): Promise<string[] | undefined> {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => existsSync(join(directory, program)))
    ? []
    : undefined;
}

const officialRoot = () => join(cacheDirectory(), `pulumi-${pulumiVersion}`);
const builtRoot = () => join(cacheDirectory(), `pulumi-${pulumiVersion}-built`);

async function officialCli(log: Log): Promise<string[] | undefined> {
  const bin = join(officialRoot(), "bin");
  if (existsSync(join(bin, "pulumi"))) return [bin];
  if (existsSync(join(builtRoot(), "pulumi"))) return undefined;
  log(`Pulumi CLI ${pulumiVersion} is not on PATH; trying the official download …`);
  const temporary = `${officialRoot()}.${process.pid}`;
  try {
    const { PulumiCommand } = await import("@pulumi/pulumi/automation/index.js");
    const { SemVer } = await import("semver");
    await PulumiCommand.install({ version: new SemVer(pulumiVersion), root: temporary, skipVersionCheck: true });
    renameSync(temporary, officialRoot());
    return [bin];
  } catch {
    rmSync(temporary, { recursive: true, force: true });
    log("  not reachable from here.");
    return undefined;
  }
}

async function builtCli(log: Log): Promise<string[]> {
  const bin = builtRoot();
  mkdirSync(bin, { recursive: true });
  await buildGoTools(bin, log);
  return [bin];
}

async function commandPlugin(cli: string[], log: Log): Promise<string[]> {
  if (await onPath("pulumi-resource-command")) return [];
  const home = process.env.PULUMI_HOME ?? join(cacheDirectory(), "pulumi-home");
  if (existsSync(join(home, "plugins", `resource-command-v${commandPluginVersion}`, "pulumi-resource-command")))
    return [];
  const standIn = join(cacheDirectory(), "stand-in-plugin");
  if (existsSync(join(standIn, "closed-network"))) return installStandIn(standIn);
  log(`Plugin command ${commandPluginVersion}: trying the official download …`);
  try {
    const path = [...cli, process.env.PATH].join(delimiter);
    await spawn("pulumi", ["plugin", "install", "resource", "command", commandPluginVersion], {
      env: { PATH: path, PULUMI_HOME: home },
      timeout: 120_000,
      stdin: "ignore",
    });
    return [];
  } catch (error) {
    if (process.env.HARBOR_HA_NO_STAND_IN) throw new UserError(`The command plugin cannot be downloaded: ${error}`);
    log("  not reachable from here: using the stand-in plugin of this repository (test/stand-ins/command-plugin).");
    return installStandIn(standIn);
  }
}
