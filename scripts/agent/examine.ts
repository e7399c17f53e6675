import { spawnSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Examination } from "../../components/model/examination.ts";
import { hostPaths } from "../../components/model/paths.ts";
import { complaint } from "./complaint.ts";
import { daysUntilFull, diskSamples } from "./growth.ts";
import { sickComponents } from "./probes.ts";
import { fullness } from "./watcher.ts";

interface Manifest {
  service: string;
  held?: string[];
  /** Absent in manifests of earlier versions. */
  digests?: Record<string, string>;
}

/** What both nodes must have alike. */
const alike = {
  secrets: hostPaths.secrets,
  agent: `${hostPaths.programs}/agent.cjs`,
  "harbor.yml": `${hostPaths.harbor}/harbor.yml`,
  "Harbor's secretkey": `${hostPaths.harborData}/secret/keys/secretkey`,
  "Harbor's token key": `${hostPaths.harborData}/secret/core/private_key.pem`,
  "Harbor's environment": `${hostPaths.harbor}/docker-compose.override.yml`,
};
const certificates = [`${hostPaths.certificates}/endpoint.crt`, "/etc/postgresql/17/main/tls/server.crt"];

/** Looks closer than the facts do. Writes nothing. */
export async function examine(): Promise<Examination> {
  const [write, components] = await Promise.all([
    complaint(`${hostPaths.programs}/pgbouncer.sh`, 12_000),
    sickComponents(),
  ]);
  const disks = await fullness();
  const manifests = readManifests();
  const held = manifests.flatMap(({ held }) => held ?? []);
  const holds = run("apt-mark", ["showhold"]).split("\n");
  return {
    drift: manifests.flatMap(({ service, digests = {} }) =>
      Object.entries(digests).flatMap(([path, expected]) => {
        const found = digestOf(path);
        return found === expected ? [] : [{ path, service, is: found === undefined ? "missing" : "changed" } as const];
      }),
    ),
    unheld: held.filter((name) => !holds.includes(name)),
    fingerprints: Object.fromEntries(
      Object.entries(alike).map(([name, path]) => [name, (digestOf(path) ?? "missing").slice(0, 12)]),
    ),
    certificates: Object.fromEntries(certificates.filter(existsSync).map((path) => [path, daysLeft(path)])),
    disks,
    daysUntilFull: daysUntilFull(diskSamples(), { at: Date.now(), used: disks }),
    clock: Date.now() / 1000,
    maxSlotWalKeepBytes: maxSlotWalKeep(),
    write,
    components,
    leftovers: ["former", "rewinding", "unfinished"]
      .map((suffix) => `${hostPaths.postgresData}.${suffix}`)
      .filter(existsSync),
  };
}

function readManifests(): Manifest[] {
  const directory = `${hostPaths.state}/manifests`;
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(".json"))
    .map((name) => ({
      ...JSON.parse(readFileSync(`${directory}/${name}`, "utf8")),
      service: name.replace(/\.json$/, ""),
    }));
}

function digestOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

const daysLeft = (path: string) =>
  (new Date(new X509Certificate(readFileSync(path)).validTo).getTime() - Date.now()) / 86_400_000;

function maxSlotWalKeep(): number | undefined {
  const file = "/etc/postgresql/17/main/conf.d/10-reload.conf";
  const megabytes = existsSync(file)
    ? /^max_slot_wal_keep_size = '(\d+)MB'$/m.exec(readFileSync(file, "utf8"))?.[1]
    : undefined;
  return megabytes === undefined ? undefined : Number(megabytes) * 1024 * 1024;
}

const run = (program: string, args: string[]) =>
  spawnSync(program, args, { encoding: "utf8", timeout: 10_000 }).stdout ?? "";
