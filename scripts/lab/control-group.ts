/** Every process of a host lives in one control group of its own. That is how a host is found, also one that a killed
 * run left behind, and how all of it is ended at one stroke. */
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { LabError } from "./errors.ts";
import { labsControlGroup } from "./paths.ts";
import { sleep } from "./processes.ts";

export async function createControlGroup(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  // On a machine with unified control groups only, controllers are handed down level by level; Docker in the host
  // wants them. Elsewhere there are none to hand down, and hosts do without limits.
  const root = labsControlGroup();
  const levels = [root.slice(0, root.lastIndexOf("/")), root, path.slice(0, path.lastIndexOf("/")), path];
  for (const level of levels) {
    const controllers = await readFile(`${level}/cgroup.controllers`, "utf8").catch(() => "");
    for (const controller of controllers.trim().split(/\s+/).filter(Boolean)) {
      await writeFile(`${level}/cgroup.subtree_control`, `+${controller}`).catch(() => undefined);
    }
  }
}

/** Does any process live in it, or below? */
export async function populated(path: string): Promise<boolean> {
  const events = await readFile(`${path}/cgroup.events`, "utf8").catch(() => "");
  return /^populated 1$/m.test(events);
}

/** SIGKILL for all at once, then waits until the kernel has buried them, then removes the group. */
export async function destroyControlGroup(path: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (await populated(path)) {
    await kill(path);
    if (Date.now() > deadline) throw new LabError(`Processes in ${path} do not end although they were killed.`);
    await sleep(20);
  }
  await removeTree(path, deadline);
}

export async function childGroups(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

async function kill(path: string): Promise<void> {
  try {
    await writeFile(`${path}/cgroup.kill`, "1");
  } catch {
    // Kernels before 5.14 cannot kill a group; its members are killed one by one, and the caller repeats.
    for (const child of await childGroups(path)) await kill(`${path}/${child}`);
    const members = await readFile(`${path}/cgroup.procs`, "utf8").catch(() => "");
    for (const member of members.split("\n").filter(Boolean)) {
      try {
        process.kill(Number(member), "SIGKILL");
      } catch {
        // It ended by itself meanwhile.
      }
    }
  }
}

async function removeTree(path: string, deadline: number): Promise<void> {
  for (const child of await childGroups(path)) await removeTree(`${path}/${child}`, deadline);
  for (;;) {
    try {
      return await rmdir(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return;
      if (code !== "EBUSY" || Date.now() > deadline) throw error;
      await sleep(20);
    }
  }
}
