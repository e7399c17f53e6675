import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { hostPaths } from "../../components/model/paths.ts";
import { type RecordEntry, recordEntry } from "../../components/model/record.ts";

/** The newest entry this node has seen; the record may be lost or go back, this may not. @throws if it is damaged. */
export function readKnown(): RecordEntry | undefined {
  let text: string;
  try {
    text = readFileSync(hostPaths.knownEntry, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return recordEntry.parse(JSON.parse(text));
}

/** Remembers an entry beyond a power cut. */
export function writeKnown(entry: RecordEntry): void {
  const directory = dirname(hostPaths.knownEntry);
  mkdirSync(directory, { recursive: true });
  const temporary = `${hostPaths.knownEntry}.${process.pid}`;
  const file = openSync(temporary, "w", 0o600);
  writeFileSync(file, JSON.stringify(entry));
  fsyncSync(file);
  closeSync(file);
  renameSync(temporary, hostPaths.knownEntry);
  const parent = openSync(directory, "r");
  fsyncSync(parent);
  closeSync(parent);
}
