/** PostgreSQL's disk: a sized file system per host, so that a full disk is one host's and not the machine's. */

import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { diskImage } from "./paths.ts";
import { run } from "./processes.ts";

const size = 4 * 1024 ** 3;

/** Sparse: it takes only what is written. */
export async function ensureDisk(name: string, node: string): Promise<void> {
  const image = diskImage(name, node);
  if (existsSync(image)) return;
  const scratch = `${image}.new`;
  await rm(scratch, { force: true });
  const file = await open(scratch, "w", 0o600);
  await file.truncate(size);
  await file.close();
  await run("mkfs.ext4", ["-q", "-F", "-L", "postgresql", "-m", "0", scratch]);
  await rename(scratch, image);
}

/** Loop devices go with the mount that uses them; this is for one that something else attached. */
export async function detachLoopDevices(directory: string): Promise<void> {
  const listed = JSON.parse((await run("losetup", ["--json", "--list", "--output", "NAME,BACK-FILE"])) || "{}");
  for (const device of listed.loopdevices ?? []) {
    if (device["back-file"]?.startsWith(`${directory}/`)) await run("losetup", ["--detach", device.name]);
  }
}
