/** Local lab hosts on systemd-nspawn: the whole, as a table of contents. A lab is a bridge with hosts on it; each host
 * is a read-only base image with its own layer above, its own disk for PostgreSQL and the directory all hosts share. */
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { forgetUser } from "./base-cache.ts";
import { ensureBase } from "./base-image.ts";
import { childGroups, destroyControlGroup } from "./control-group.ts";
import { detachLoopDevices, limitDisk } from "./disks.ts";
import { LabError } from "./errors.ts";
import { addToHostsFile, ensureHost, isRunning, startHost, waitForSsh } from "./host.ts";
import { raiseKernelSettings, restoreKernelSettings } from "./kernel-settings.ts";
import { ensureKeys, writeKnownHosts } from "./keys.ts";
import { removeMachineTraces, unmountBelow } from "./leftovers.ts";
import { withLock } from "./lock.ts";
import { attachLink, cutLink, ensureNetwork, removeLink, removeNetwork } from "./network.ts";
import * as paths from "./paths.ts";
import { ensurePrerequisites, requireRoot } from "./prerequisites.ts";
import { checkChange, checkSpec, type LabSpec, readSpec, requireNode, writeSpec } from "./spec.ts";

export { LabError } from "./errors.ts";
export { ensureKeys, sshArguments } from "./keys.ts";
export { cacheDirectory, labDirectory } from "./paths.ts";
export type { LabSpec } from "./spec.ts";
export type Log = (line: string) => void;

/** Builds what is missing and starts what is off, except hosts that `powerOff` switched off. Returns when all running
 * hosts answer ssh. */
export async function up(spec: LabSpec, log: Log): Promise<void> {
  checkSpec(spec);
  await ensurePrerequisites(log);
  await withLock(paths.instanceLock(spec.name), "exclusive", `lab "${spec.name}"`, log, async () => {
    const existing = readSpec(spec.name);
    if (existing) checkChange(existing, spec);
    await prepareDirectory(spec);
    await ensureKeys(
      spec.name,
      spec.nodes.map((node) => node.name),
    );
    const base = await ensureBase(spec.prefetch, paths.labDirectory(spec.name), log);
    await writeSpec(spec);
    await writeKnownHosts(spec);
    await raiseKernelSettings(log);
    await ensureNetwork(spec);
    await Promise.all(spec.nodes.map((node) => bringUp(spec, node, base, log)));
  });
}

/** Leaves nothing of the lab: not a process, mount, loop device, link, firewall rule or file. */
export async function down(name: string, log: Log): Promise<void> {
  requireRoot();
  const directory = paths.labDirectory(name);
  await withLock(paths.instanceLock(name), "exclusive", `lab "${name}"`, log, async () => {
    const nodes = await traceNodes(name);
    await destroyControlGroup(paths.labControlGroup(name));
    await rmdir(paths.labsControlGroup()).catch(() => undefined);
    await removeNetwork(name);
    await unmountBelow(directory);
    await detachLoopDevices(directory);
    for (const node of nodes) await removeMachineTraces(name, node);
    await removeDirectory(name);
    await rmdir(paths.labRoot()).catch(() => undefined);
    await forgetUser(directory);
    await restoreKernelSettings(log);
    for (const node of nodes) await rm(paths.nodeLock(name, node), { force: true });
    await rm(paths.instanceLock(name), { force: true });
  });
  await rmdir(paths.stateDirectory).catch(() => undefined);
  log(`Lab "${name}" is gone`);
}

/** As if the plug were pulled: first the network, so that the kernel cannot say goodbye to the host's peers, then
 * every process at once. */
export async function powerOff(name: string, node: string, log: Log): Promise<void> {
  await withHost(name, node, log, async () => {
    await writeFile(paths.poweredOffMark(name, node), "");
    await cutPower(name, node);
  });
  log(`${node} is off`);
}

export async function powerOn(name: string, node: string, log: Log): Promise<void> {
  await withHost(name, node, log, async (spec) => {
    if (existsSync(paths.poweredOffMark(name, node))) await cutPower(name, node);
    await rm(paths.poweredOffMark(name, node), { force: true });
    await raiseKernelSettings(log);
    await ensureNetwork(spec);
    if (!(await isRunning(name, node))) await startHost(spec, node);
    else await attachLink(paths.linkName(name, node), paths.bridgeName(name));
  });
  await waitForSsh(name, node);
  log(`${node} is on`);
}

/** As seen from one host. */
export type ShareState = "hangs" | "answers" | "dead";

/** What the shared directory of one host does from now on: hang until it answers again, or be dead until its power is cycled. */
export async function switchShare(name: string, node: string, to: ShareState, log: Log): Promise<void> {
  await withHost(name, node, log, async () => {
    const signal = { hangs: "SIGSTOP", answers: "SIGCONT", dead: "SIGKILL" } as const;
    const members = await readFile(`${paths.hostControlGroup(name, node)}/share/cgroup.procs`, "utf8").catch(() => "");
    const pids = members.split("\n").filter(Boolean).map(Number);
    if (pids.length === 0) throw new LabError(`${node} has no shared directory: is it on? Is its share dead already?`);
    for (const pid of pids) process.kill(pid, signal[to]);
  });
  log(`${node}: the shared directory ${to === "dead" ? "is dead" : to}`);
}

/** What the network of one host does from now on. */
export async function switchNetwork(name: string, node: string, to: "cut" | "mended", log: Log): Promise<void> {
  await withHost(name, node, log, async () => {
    if (!(await isRunning(name, node))) throw new LabError(`${node} is off`);
    const link = paths.linkName(name, node);
    await (to === "cut" ? cutLink(link) : attachLink(link, paths.bridgeName(name)));
  });
  log(`${node}: the network is ${to}`);
}

/** What PostgreSQL's disk of one host does from now on, until its power is cycled. */
export async function switchDisk(name: string, node: string, to: "slow" | "normal", log: Log): Promise<void> {
  await withHost(name, node, log, () => limitDisk(name, node, to));
  log(`${node}: the disk is ${to}`);
}

export async function running(name: string): Promise<string[]> {
  const nodes = readSpec(name)?.nodes.map((node) => node.name) ?? [];
  const states = await Promise.all(nodes.map((node) => isRunning(name, node)));
  return nodes.filter((_, index) => states[index]);
}

export async function listInstances(): Promise<string[]> {
  const entries = await readdir(paths.labRoot(), { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map((entry) => entry.name);
}

/** At one stroke, so that a killed `down` leaves no half of a host that `up` would take for a whole one. */
async function removeDirectory(name: string): Promise<void> {
  const going = paths.goingDirectory(name);
  await rm(going, { recursive: true, force: true });
  await rename(paths.labDirectory(name), going).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  await rm(going, { recursive: true, force: true });
}

/** Of a half-built or half-removed lab any of these may be missing. */
async function traceNodes(name: string): Promise<string[]> {
  const inSpec = readSpec(name)?.nodes.map((node) => node.name) ?? [];
  const onDisk = await readdir(`${paths.labDirectory(name)}/hosts`).catch(() => []);
  return [...new Set([...inSpec, ...onDisk, ...(await childGroups(paths.labControlGroup(name)))])];
}

async function prepareDirectory(spec: LabSpec): Promise<void> {
  const directory = paths.labDirectory(spec.name);
  await rm(paths.goingDirectory(spec.name), { recursive: true, force: true });
  if (/[:,\\\s]/.test(directory)) {
    throw new LabError(`The lab's directory ${directory} must be without spaces, colons, commas and backslashes.`);
  }
  for (const part of ["", "/hosts", "/disks", "/shared"]) await mkdir(`${directory}${part}`, { recursive: true });
  await chmod(directory, 0o700);
}

async function bringUp(spec: LabSpec, node: LabSpec["nodes"][number], base: string, log: Log): Promise<void> {
  await ensureHost(spec, node, base);
  if (existsSync(paths.poweredOffMark(spec.name, node.name))) {
    await cutPower(spec.name, node.name);
    log(`${node.name} was powered off and stays off`);
    return;
  }
  const start = Date.now();
  const runs = await isRunning(spec.name, node.name);
  if (runs) await attachLink(paths.linkName(spec.name, node.name), paths.bridgeName(spec.name));
  else await startHost(spec, node.name);
  await waitForSsh(spec.name, node.name);
  await addToHostsFile(spec, node.name);
  log(`${node.name} ${node.address} answers${runs ? "" : ` after ${((Date.now() - start) / 1000).toFixed(1)} s`}`);
}

/** May be repeated: a killed `powerOff` is finished by whoever comes next. */
async function cutPower(name: string, node: string): Promise<void> {
  await cutLink(paths.linkName(name, node));
  await destroyControlGroup(paths.hostControlGroup(name, node));
  await removeLink(paths.linkName(name, node));
}

/** Several hosts may be switched at once, but not beside `up` or `down`. */
async function withHost(name: string, node: string, log: Log, work: (spec: LabSpec) => Promise<void>): Promise<void> {
  requireRoot();
  requireNode(name, node);
  await withLock(paths.instanceLock(name), "shared", `lab "${name}"`, log, () =>
    withLock(paths.nodeLock(name, node), "exclusive", `host ${node}`, log, async () => {
      requireNode(name, node);
      const spec = readSpec(name);
      if (spec) await work(spec);
    }),
  );
}
