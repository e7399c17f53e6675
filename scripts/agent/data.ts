import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { hostPaths } from "../../components/model/paths.ts";
import type { DataOnDisk } from "./boot.ts";

const execute = promisify(execFile);

/** What lies in PostgreSQL's data directory, without asking a server. */
export async function readData(): Promise<DataOnDisk> {
  const entries = existsSync(hostPaths.postgresData) ? readdirSync(hostPaths.postgresData) : [];
  if (entries.length === 0) return { state: "empty", standbySignal: false };
  if (!entries.includes("PG_VERSION")) return { state: "unknown", standbySignal: false };
  const standbySignal = entries.includes("standby.signal");
  const { stdout } = await execute("/usr/lib/postgresql/17/bin/pg_controldata", ["-D", hostPaths.postgresData], {
    timeout: 10_000,
    env: { LC_ALL: "C" },
  }).catch(() => ({ stdout: "" }));
  const value = (label: string) => new RegExp(`^${label}:\\s+(\\d+)$`, "m").exec(stdout)?.[1];
  // One that was just promoted has had no checkpoint of its own timeline yet; it recovers into that one all the same.
  const timelines = ["Latest checkpoint's TimeLineID", "Min recovery ending loc's timeline"].map(value);
  const timeline = Math.max(...timelines.map((text) => Number(text ?? 0)));
  return {
    state: "present",
    standbySignal,
    systemIdentifier: value("Database system identifier"),
    timeline: timeline || undefined,
  };
}

/** What Redis is to be: `# master`, `replicaof …`, or nothing yet. */
export function configuredRedisRole(): string {
  try {
    return readFileSync("/var/lib/redis/role.conf", "utf8").trim();
  } catch {
    return "";
  }
}
