import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { configSchema } from "../../stacks/config.ts";
import { cacheDirectory } from "../paths.ts";
import { UserError } from "../user-error.ts";

type Log = (line: string) => void;

interface Installer {
  file: string;
  sha256: string;
}

/**
 * The Harbor installer for the lab: `$HARBOR_HA_INSTALLER` (a file; sha256 in `$HARBOR_HA_INSTALLER_SHA256`), else Harbor's own
 * release, else (on a network that does not reach it) the stand-in of this repository.
 */
export async function findInstaller(log: Log): Promise<Installer> {
  const { HARBOR_HA_INSTALLER: file, HARBOR_HA_INSTALLER_SHA256: sha256 } = process.env;
  if (file) {
    if (!sha256)
      throw new UserError("HARBOR_HA_INSTALLER needs HARBOR_HA_INSTALLER_SHA256 beside it (what `sha256sum` prints)");
    return { file, sha256 };
  }
  return (await officialInstaller(log)) ?? (await standIn(log));
}

async function standIn(log: Log): Promise<Installer> {
  log("Harbor's release is not reachable from here: using the stand-in installer (test/stand-ins/harbor).");
  const { buildInstaller } = await import("../../test/stand-ins/harbor/build.ts");
  return buildInstaller(log);
}

/** Downloads the release once into the cache. Harbor publishes no SHA-256, so the stack pins the one of this download. */
async function officialInstaller(log: Log): Promise<Installer | undefined> {
  const version = configSchema.shape.harbor.shape.version.parse(undefined);
  const name = `harbor-offline-installer-v${version}.tgz`;
  const file = join(cacheDirectory(), name);
  if (!existsSync(file)) {
    const url = `https://github.com/goharbor/harbor/releases/download/v${version}/${name}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(3_600_000) }).catch(() => undefined);
    if (!response?.ok || !response.body) return undefined;
    log(`Downloading ${name} (about ${Math.round(Number(response.headers.get("content-length")) / 1e6)} MB) …`);
    const temporary = `${file}.${process.pid}`;
    mkdirSync(cacheDirectory(), { recursive: true });
    try {
      await pipeline(response.body as unknown as AsyncIterable<Uint8Array>, createWriteStream(temporary));
      renameSync(temporary, file);
    } finally {
      rmSync(temporary, { force: true });
    }
  }
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return { file, sha256: hash.digest("hex") };
}
