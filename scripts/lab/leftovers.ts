/** Traces that a lab of today does not make, or that systemd-nspawn leaves; removed by `down` all the same. */
import { readFile, rm, rmdir } from "node:fs/promises";
import { machineName } from "./paths.ts";
import { run } from "./processes.ts";

/** Hosts mount in their own namespaces; this is for what somebody mounted by hand. Deepest first. */
export async function unmountBelow(directory: string): Promise<void> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  const points = lines.map((line) => plainPath(line.split(" ")[4] ?? "")).filter((p) => p.startsWith(`${directory}/`));
  for (const point of points.reverse()) await run("umount", ["--lazy", point]);
}

/** systemd-nspawn's own directories for a host. */
export async function removeMachineTraces(name: string, node: string): Promise<void> {
  const machine = machineName(name, node);
  for (const part of ["propagate", "unix-export"]) {
    await rm(`/run/systemd/nspawn/${part}/${machine}`, { recursive: true, force: true });
    await rmdir(`/run/systemd/nspawn/${part}`).catch(() => undefined);
  }
  await rmdir("/run/systemd/nspawn").catch(() => undefined);
}

/** mountinfo writes a blank as \040. */
function plainPath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
