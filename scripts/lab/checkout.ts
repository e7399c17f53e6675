import { lchownSync, lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { projectDirectory } from "../paths.ts";

/** Gives files that root made in somebody's checkout to the checkout's owner. */
export function returnFiles(directory = projectDirectory): void {
  const { uid, gid } = statSync(directory);
  if (uid === 0 || process.getuid?.() !== 0) return;
  for (const entry of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    const path = join(directory, entry);
    if (lstatSync(path).uid === 0) lchownSync(path, uid, gid);
  }
}
