import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { hostPaths } from "../../components/model/paths.ts";
import { fullness } from "./watcher.ts";

/** Use of the local file systems at one moment, as fractions by mount point. */
export interface DiskSample {
  /** Milliseconds since 1970. */
  at: number;
  used: Record<string, number>;
}

const dayMs = 86_400_000;
const keptMs = 14 * dayMs;
const file = `${hostPaths.state}/disks.json`;

/**
 * Days until each file system is full at the pace between the oldest sample and now. Only of those that grow, and have been seen
 * for a day at least. Pure.
 */
export function daysUntilFull([oldest]: DiskSample[], now: DiskSample): Record<string, number> {
  if (!oldest || now.at - oldest.at < dayMs) return {};
  const days = (now.at - oldest.at) / dayMs;
  return Object.fromEntries(
    Object.entries(now.used).flatMap(([mount, used]) => {
      const perDay = (used - (oldest.used[mount] ?? used)) / days;
      return perDay > 0 ? [[mount, (1 - used) / perDay]] : [];
    }),
  );
}

/** The samples of the last two weeks, oldest first. */
export function diskSamples(): DiskSample[] {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return [];
  }
}

/** Adds one; for whoever comes by once an hour. */
export async function sampleDisks(): Promise<void> {
  const now = { at: Date.now(), used: await fullness() };
  const samples = [...diskSamples().filter(({ at }) => now.at - at < keptMs && at <= now.at), now];
  writeFileSync(`${file}.new`, JSON.stringify(samples));
  renameSync(`${file}.new`, file);
}
