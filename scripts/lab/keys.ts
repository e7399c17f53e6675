/** The lab's own SSH keys: one for us, one per host. Made before any host exists, so that a first preview can name
 * them, and kept until the lab is taken down. */
import { chmod, link, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { keysDirectory, knownHostsFile, labDirectory } from "./paths.ts";
import { run } from "./processes.ts";
import { type LabSpec, requireNode } from "./spec.ts";

export const clientKey = (name: string) => `${keysDirectory(name)}/id_ed25519`;
export const hostKey = (name: string, node: string) => `${keysDirectory(name)}/${node}_ed25519`;

export async function ensureKeys(name: string, nodes: string[]): Promise<void> {
  await mkdir(keysDirectory(name), { recursive: true, mode: 0o700 });
  await chmod(labDirectory(name), 0o700);
  await ensureKey(clientKey(name), `harbor-ha lab ${name}`);
  for (const node of nodes) await ensureKey(hostKey(name, node), `${node} of lab ${name}`);
}

/** Two callers at once end with the same key: whoever links the private half first wins, and the public half always
 * comes from that. */
async function ensureKey(path: string, comment: string): Promise<void> {
  const complete = await readFile(`${path}.pub`).then(
    () => true,
    () => false,
  );
  if (complete) return;
  const scratch = await mkdtemp(`${path}.`);
  try {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", `${scratch}/key`]);
    await link(`${scratch}/key`, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    await writeFile(`${scratch}/pub`, `${await run("ssh-keygen", ["-y", "-f", path])}\n`);
    await rename(`${scratch}/pub`, `${path}.pub`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

export async function writeKnownHosts(spec: LabSpec): Promise<void> {
  const lines: string[] = [];
  for (const node of spec.nodes) {
    const key = (await readFile(`${hostKey(spec.name, node.name)}.pub`, "utf8")).trim();
    lines.push(`${node.address},${node.name} ${key.split(" ").slice(0, 2).join(" ")}`);
  }
  const path = knownHostsFile(spec.name);
  await writeFile(`${path}.new`, `${lines.join("\n")}\n`);
  await rename(`${path}.new`, path);
}

/** Arguments for ssh up to the destination; the person's own ssh configuration and agent play no part. */
export function sshArguments(name: string, node: string): string[] {
  const { address } = requireNode(name, node);
  const options = [
    `UserKnownHostsFile=${knownHostsFile(name)}`,
    "GlobalKnownHostsFile=/dev/null",
    "StrictHostKeyChecking=yes",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "BatchMode=yes",
    "ConnectTimeout=5",
    "LogLevel=ERROR",
  ];
  return ["-F", "/dev/null", "-i", clientKey(name), ...options.flatMap((option) => ["-o", option]), `root@${address}`];
}
