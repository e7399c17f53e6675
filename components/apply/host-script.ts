import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Text of a program that lies beside its service (path from `components/`), for a bundle. */
export function hostScript(path: string): string {
  return readFileSync(join(import.meta.dirname, "..", path), "utf8");
}
