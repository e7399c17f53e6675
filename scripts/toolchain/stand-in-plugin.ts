import { createHash } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectDirectory } from "../paths.ts";

/**
 * Puts an executable named like the official plugin, which runs the stand-in of this checkout, into a directory for PATH:
 * one for each checkout, for another one may be changed or removed at any time.
 */
export function installStandIn(directory: string): string[] {
  const own = join(directory, createHash("sha256").update(projectDirectory).digest("hex").slice(0, 12));
  mkdirSync(own, { recursive: true });
  const node = join(projectDirectory, "node_modules", ".bin", "node");
  const main = join(projectDirectory, "test", "stand-ins", "command-plugin", "main.ts");
  const file = join(own, "pulumi-resource-command");
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `#!/bin/sh\nexec '${node}' '${main}' "$@"\n`, { mode: 0o755 });
  renameSync(temporary, file);
  // Remembered, so that the next run does not try the download again; remove the directory to try anew.
  writeFileSync(join(directory, "closed-network"), "");
  return [own];
}
