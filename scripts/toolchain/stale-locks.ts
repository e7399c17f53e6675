import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Log } from "./environment.ts";

/**
 * Removes locks of a local `file://` backend whose pulumi process is gone: a killed `up` leaves one, and Pulumi itself
 * would refuse until somebody runs `pulumi cancel`. Locks of living processes and of other machines stay.
 * @returns whether there was one.
 */
export function removeStaleLocks(backend: string, log: Log): boolean {
  const locks = join(backend.replace(/^file:\/\//, ""), ".pulumi", "locks");
  if (!existsSync(locks)) return false;
  let found = false;
  for (const entry of readdirSync(locks, { recursive: true, withFileTypes: true, encoding: "utf8" })) {
    if (!entry.isFile() || !entry.name.endsWith(".json")) continue;
    const file = join(entry.parentPath, entry.name);
    if (!isStale(file)) continue;
    log("An earlier pulumi was killed; its lock is removed.");
    rmSync(file, { force: true });
    found = true;
  }
  return found;
}

function isStale(file: string): boolean {
  const text = readFileSync(file, "utf8");
  // A process that was killed while it wrote its lock.
  if (text === "") return true;
  const lock: { pid: number; hostname: string } = JSON.parse(text);
  if (lock.hostname !== hostname()) return false;
  const cmdline = `/proc/${lock.pid}/cmdline`;
  return !existsSync(cmdline) || !readFileSync(cmdline, "utf8").includes("pulumi");
}
