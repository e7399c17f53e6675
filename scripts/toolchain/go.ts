import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { UserError } from "../user-error.ts";
import type { Log } from "./environment.ts";

/** Finds a Go toolchain of 1.21 or newer (which fetches the exact version it needs from the module proxy by itself). */
export async function findGo(log: Log): Promise<string> {
  void log;
  const found = (process.env.PATH ?? "")
    .split(delimiter)
    .map((d) => join(d, "go"))
    .find((file) => existsSync(file));
  if (found) return found;
  throw new UserError(
    "Pulumi cannot be downloaded from here, and building it needs Go 1.21 or newer: install Go, or put `pulumi` on PATH.",
  );
}
