/** Two settings of the machine's kernel that a lab needs. What they were is noted and put back with the last lab. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { withLock } from "./lock.ts";
import { labBridges } from "./network.ts";
import { stateDirectory } from "./paths.ts";

type Log = (line: string) => void;
const directory = `${stateDirectory}/sysctl`;
const lockFile = `${stateDirectory}/sysctl.lock`;

const minimum: Record<string, { value: number; why: string }> = {
  "net.ipv4.ip_forward": { value: 1, why: "the hosts reach the package mirrors through this machine" },
  "fs.inotify.max_user_instances": { value: 1024, why: "every host runs its own systemd" },
};

export async function raiseKernelSettings(log: Log): Promise<void> {
  await withLock(lockFile, "exclusive", "kernel settings", log, async () => {
    for (const [name, { value, why }] of Object.entries(minimum)) {
      const before = await read(name);
      if (before >= value) continue;
      await mkdir(directory, { recursive: true });
      await writeFile(`${directory}/${name}`, String(before), { flag: "wx" }).catch(() => undefined);
      await write(name, value);
      log(`Set ${name} from ${before} to ${value}: ${why}`);
    }
  });
}

export async function restoreKernelSettings(log: Log): Promise<void> {
  await withLock(lockFile, "exclusive", "kernel settings", log, async () => {
    if ((await labBridges()).length > 0) return;
    for (const name of await readdir(directory).catch(() => [])) {
      const before = Number(await readFile(`${directory}/${name}`, "utf8"));
      // Somebody who changed it meanwhile, as Docker does, keeps his value.
      if (Number.isInteger(before) && (await read(name)) === minimum[name]?.value) await write(name, before);
    }
    await rm(directory, { recursive: true, force: true });
    await rm(lockFile, { force: true });
  });
}

async function read(name: string): Promise<number> {
  return Number(await readFile(path(name), "utf8"));
}

async function write(name: string, value: number): Promise<void> {
  await writeFile(path(name), String(value));
}

function path(name: string): string {
  return `/proc/sys/${name.replaceAll(".", "/")}`;
}
