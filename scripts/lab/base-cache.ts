/** Which base images are still needed. A base lies under its hosts for as long as their lab exists. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { cacheDirectory } from "./paths.ts";

type Log = (line: string) => void;
/** Unused ones kept, so that two labs with different packages do not throw each other's away. */
const spares = 1;

/** Notes that the lab in this directory uses the base. A note whose lab is gone counts no more. */
export async function touchBase(base: string, labDirectory: string): Promise<void> {
  const users = `${base}.users`;
  await mkdir(users, { recursive: true });
  await writeFile(`${users}/${createHash("sha256").update(labDirectory).digest("hex").slice(0, 16)}`, labDirectory);
  await utimes(users, new Date(), new Date());
}

/** Only under the cache's lock. */
export async function pruneBases(cache: string, current: string, log: Log): Promise<void> {
  const unused: { path: string; lastUse: number }[] = [];
  for (const name of await readdir(cache)) {
    const path = `${cache}/${name}`;
    if (!/^base-[0-9a-f]{12}$/.test(name) || path === current || (await inUse(path))) continue;
    unused.push({ path, lastUse: (await stat(`${path}.users`).catch(() => stat(path))).mtimeMs });
  }
  unused.sort((a, b) => b.lastUse - a.lastUse);
  for (const { path } of unused.slice(spares)) {
    log(`Removing ${path}, which no lab uses any more`);
    await rm(path, { recursive: true, force: true });
    await rm(`${path}.users`, { recursive: true, force: true });
  }
  await prunePackages(`${cache}/packages`);
}

/** Called by `down` when the lab's directory is gone. */
export async function forgetUser(labDirectory: string): Promise<void> {
  const note = createHash("sha256").update(labDirectory).digest("hex").slice(0, 16);
  const cache = cacheDirectory();
  for (const name of await readdir(cache).catch(() => [])) {
    if (name.endsWith(".users")) await rm(`${cache}/${name}/${note}`, { force: true });
  }
}

async function inUse(base: string): Promise<boolean> {
  const users = await readdir(`${base}.users`).catch(() => []);
  for (const user of users) {
    if (existsSync(await readFile(`${base}.users/${user}`, "utf8").catch(() => "/"))) return true;
  }
  return false;
}

/** Package files are hard links; one with a single name belongs to no base. */
async function prunePackages(packages: string): Promise<void> {
  for (const name of await readdir(packages).catch(() => [])) {
    const path = `${packages}/${name}`;
    const { nlink, ctimeMs } = await stat(path);
    const old = Date.now() - ctimeMs > 30 * 24 * 3600 * 1000;
    if (nlink === 1 && old) await rm(path, { force: true });
  }
}
