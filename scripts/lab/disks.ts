/** PostgreSQL's disk: a sized file system per host, so that a full disk is one host's and not the machine's. */

import { existsSync } from "node:fs";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { LabError } from "./errors.ts";
import { diskImage, hostControlGroup } from "./paths.ts";
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

/** Writes a second of a slow disk; PostgreSQL needs one or two for a commit. */
const slowWrites = 20;

/** What the disk of a running host does from now on: at most so many writes a second, or as many as it can. */
export async function limitDisk(name: string, node: string, to: "slow" | "normal"): Promise<void> {
  const columns = ["--json", "--list", "--output", "BACK-FILE,MAJ:MIN"];
  const { loopdevices = [] } = JSON.parse((await run("losetup", columns)) || "{}");
  const device = loopdevices.find((found: Record<string, string>) => found["back-file"] === diskImage(name, node));
  if (!device) throw new LabError(`${node} has no disk: is it on?`);
  const divided = "/sys/fs/cgroup/blkio/blkio.throttle.write_iops_device";
  const [file, limit] = existsSync(divided)
    ? [divided, to === "slow" ? slowWrites : 0]
    : [`${hostControlGroup(name, node)}/io.max`, `wiops=${to === "slow" ? slowWrites : "max"}`];
  await writeFile(file, `${device["maj:min"]} ${limit}`);
}

/** Loop devices go with the mount that uses them; this is for one that something else attached. */
export async function detachLoopDevices(directory: string): Promise<void> {
  const listed = JSON.parse((await run("losetup", ["--json", "--list", "--output", "NAME,BACK-FILE"])) || "{}");
  for (const device of listed.loopdevices ?? []) {
    if (device["back-file"]?.startsWith(`${directory}/`)) await run("losetup", ["--detach", device.name]);
  }
}
