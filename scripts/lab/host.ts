/** One host: its files, its start, and the wait until it answers. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import spawn from "nano-spawn";
import { resolverFile } from "./base-image.ts";
import { createControlGroup, destroyControlGroup, populated } from "./control-group.ts";
import { ensureDisk } from "./disks.ts";
import { LabError } from "./errors.ts";
import { renderHostsFile, renderNetworkFile, renderResolverFile } from "./host-files.ts";
import { clientKey, hostKey, sshArguments } from "./keys.ts";
import { removeLink } from "./network.ts";
import * as paths from "./paths.ts";
import { run, sleep, succeeds } from "./processes.ts";
import type { LabSpec } from "./spec.ts";

const startScript = fileURLToPath(new URL("./start-host.sh", import.meta.url));
const bootDeadline = 180_000;

/** Makes a host's directory on disk, complete or not at all. */
export async function ensureHost(spec: LabSpec, node: LabSpec["nodes"][number], base: string): Promise<void> {
  const directory = paths.hostDirectory(spec.name, node.name);
  await ensureDisk(spec.name, node.name);
  if (existsSync(directory)) return;
  const scratch = `${dirname(directory)}/.${node.name}.new`;
  await rm(scratch, { recursive: true, force: true });
  for (const part of ["upper", "work", "root", "docker", "postgresql", "shared"]) {
    await mkdir(`${scratch}/${part}`, { recursive: true });
  }
  await chmod(`${scratch}/docker`, 0o710);
  const upper = `${scratch}/upper`;
  const files: [path: string, text: string, mode: number][] = [
    ["etc/hostname", `${node.name}\n`, 0o644],
    ["etc/machine-id", `${randomUUID().replaceAll("-", "")}\n`, 0o444],
    ["etc/hosts", renderHostsFile(spec), 0o644],
    ["etc/systemd/network/10-host0.network", renderNetworkFile(spec, node.address), 0o644],
    ["etc/ssh/ssh_host_ed25519_key", await readFile(hostKey(spec.name, node.name), "utf8"), 0o600],
    ["etc/ssh/ssh_host_ed25519_key.pub", await readFile(`${hostKey(spec.name, node.name)}.pub`, "utf8"), 0o644],
    ["root/.ssh/authorized_keys", await readFile(`${clientKey(spec.name)}.pub`, "utf8"), 0o600],
  ];
  for (const [path, text, mode] of files) {
    await mkdir(dirname(`${upper}/${path}`), { recursive: true, mode: 0o755 });
    await writeFile(`${upper}/${path}`, text, { mode });
  }
  for (const secret of ["root", "root/.ssh"]) await chmod(`${upper}/${secret}`, 0o700);
  await writeFile(`${scratch}/base`, base);
  await rename(scratch, directory);
}

/** Starts a host that is not running; returns at once. The host outlives this process. */
export async function startHost(spec: LabSpec, node: string): Promise<void> {
  const directory = paths.hostDirectory(spec.name, node);
  const base = await readFile(`${directory}/base`, "utf8");
  if (!existsSync(base)) {
    throw new LabError(
      `${node} was made from the base image ${base}, which is gone. Take lab "${spec.name}" down and build it anew.`,
    );
  }
  const group = paths.hostControlGroup(spec.name, node);
  await destroyControlGroup(group);
  await createControlGroup(group);
  await removeLink(paths.linkName(spec.name, node));
  await writeResolver(`${directory}/upper/etc/resolv.conf`);
  const log = await open(paths.consoleLog(spec.name, node), "w", 0o600);
  const disk = paths.diskImage(spec.name, node);
  const shared = paths.sharedDirectory(spec.name);
  const args = ["enter", group, directory, base, disk, shared, ...nspawnArguments(spec.name, node)];
  const host = spawn("sh", [startScript, ...args], {
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
    // The start script holds a lock that ends with the host; systemd-nspawn's own would outlive it as files.
    env: { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1", SYSTEMD_NSPAWN_LOCK: "0" },
  });
  host.catch(() => undefined);
  (await host.nodeChildProcess).unref();
  await log.close();
}

export function nspawnArguments(name: string, node: string): string[] {
  const directory = paths.hostDirectory(name, node);
  return [
    "--boot",
    "--quiet",
    `--directory=${directory}/root`,
    `--machine=${paths.machineName(name, node)}`,
    `--hostname=${node}`,
    "--register=no",
    "--keep-unit",
    `--network-bridge=${paths.bridgeName(name)}`,
    "--capability=all",
    // The hosts share the machine's clock; none of them may set it.
    "--drop-capability=CAP_SYS_TIME",
    // Docker in the host.
    "--system-call-filter=@keyring bpf",
    "--resolv-conf=off",
    "--timezone=off",
    "--link-journal=no",
    "--console=read-only",
    `--bind=${directory}/docker:/var/lib/docker`,
    `--bind=${directory}/postgresql:/var/lib/postgresql`,
    `--bind=${directory}/shared:/mnt/harbor-ha`,
  ];
}

export async function isRunning(name: string, node: string): Promise<boolean> {
  return populated(paths.hostControlGroup(name, node));
}

/** Until somebody can log in; fails early when the host dies. */
export async function waitForSsh(name: string, node: string): Promise<void> {
  const deadline = Date.now() + bootDeadline;
  while (!(await succeeds("ssh", [...sshArguments(name, node), "true"]))) {
    const alive = await isRunning(name, node);
    if (alive && Date.now() < deadline) {
      await sleep(200);
      continue;
    }
    const console = await readFile(paths.consoleLog(name, node), "utf8").catch(() => "");
    const tail = console.trim().split("\n").slice(-15).join("\n");
    const what = alive ? `does not answer ssh after ${bootDeadline / 1000} s` : "stopped while it was starting";
    throw new LabError(`Host ${node} of lab "${name}" ${what}. The end of ${paths.consoleLog(name, node)}:\n${tail}`);
  }
}

/** Hosts that were there before a node joined learn its name. */
export async function addToHostsFile(spec: LabSpec, node: string): Promise<void> {
  const lines = spec.nodes.map(({ address, name }) => `${address} ${name}`);
  const script = lines.map((line) => `grep -qxF '${line}' /etc/hosts || echo '${line}' >>/etc/hosts`).join("\n");
  await run("ssh", [...sshArguments(spec.name, node), script]);
}

async function writeResolver(path: string): Promise<void> {
  const machine = await readFile(await resolverFile(), "utf8").catch(() => "");
  await rm(path, { force: true });
  await writeFile(path, renderResolverFile(machine), { mode: 0o644 });
}
