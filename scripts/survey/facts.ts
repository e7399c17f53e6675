import { z } from "zod";
import { sickIn } from "../../components/model/harbor-health.ts";
import { HostLines } from "../cluster/host-lines.ts";

/** A container of Harbor, by its compose service. */
export interface Container {
  /** Docker's: `running`, `exited`, … */
  state: string;
  restart: string;
  logDriver: string;
  image: string;
}

/** Where a directory really lies. */
export interface Mount {
  target: string;
  type: string;
  source: string;
  options: string[];
}

const server = z.object({
  role: z.enum(["primary", "standby"]),
  receiving: z.boolean(),
  keepBytes: z.number().nullable(),
  standbys: z.array(z.object({ name: z.string(), state: z.string(), syncState: z.string(), lagBytes: z.number() })),
  slots: z.array(z.object({ name: z.string(), active: z.boolean(), keptBytes: z.number() })),
});

/** What `host.sh` said about a node of a Harbor pair, whoever built it. */
export interface Survey {
  /** Seconds by which its clock is ahead of the operator's. */
  clockAheadSeconds: number;
  synchronized: boolean;
  failedUnits: string[];
  /** `hidden`: Docker does not answer. */
  harbor: "there" | "missing" | "hidden";
  home: string;
  containers: Record<string, Container>;
  /** What core runs with; nothing secret. */
  settings: Record<string, string>;
  /** Of what both nodes must have alike; `missing` where there is none. */
  fingerprints: Record<string, string>;
  secretkeyBytes?: number;
  /** Where logs of jobs go. */
  loggers: string[];
  mounts: Partial<Record<"images" | "logs" | "data", Mount>>;
  imagesHang: boolean;
  storage: { driver: string; place: Record<string, string> };
  /** Enabled units that bring Harbor up at boot, and whether Docker waits for the share. */
  boots: string[];
  waitsForImages: boolean;
  /** HTTP status; 0: none. */
  ping: number;
  /** Harbor's own verdict: component → error of those that are not healthy; absent: it gave none. */
  sick?: Record<string, string>;
  certificateDays?: number;
  /** Use of each file system in percent. */
  disks: Record<string, number>;
  /** Harbor's database, asked as Harbor asks; absent where the host has no psql, or Harbor brings its own. */
  database?: { identity: string; inRecovery: boolean; readOnly: boolean; written: boolean } | { error: string };
  /** The PostgreSQL server that runs on this host. */
  server?: z.infer<typeof server>;
  /** Harbor's Redis, by its INFO; absent where it speaks TLS or by sentinels, or Harbor brings its own. */
  redis?: Record<string, string> | { error: string };
}

/** Reads the host's lines. `asked` and `answered` are the operator's clock in seconds. @returns nothing if the answer was cut off. */
export function parseSurvey(text: string, asked: number, answered: number): Survey | undefined {
  const lines = HostLines.read(text);
  if (!lines) return undefined;
  const all = (key: string) => lines.all(key);
  const words = (key: string) => lines.words(key);
  const one = (key: string) => lines.one(key);
  const pairs = (key: string) =>
    Object.fromEntries(words(key).map(([name = "", ...rest]) => [name, rest.join(" ")] as const));
  const has = (key: string) => one(key) !== "";
  return {
    clockAheadSeconds: lines.clockAhead(asked, answered),
    synchronized: one("synchronized") !== "no",
    failedUnits: all("failed"),
    harbor: one("docker") === "no" ? "hidden" : one("harbor") === "no" ? "missing" : "there",
    home: one("home"),
    containers: Object.fromEntries(
      words("container").map(([service = "", state = "", restart = "", logDriver = "", image = ""]) => [
        service,
        { state, restart, logDriver, image },
      ]),
    ),
    settings: pairs("setting"),
    fingerprints: pairs("fingerprint"),
    ...(has("secretkey-bytes") ? { secretkeyBytes: Number(one("secretkey-bytes")) } : {}),
    loggers: one("loggers").split(",").filter(Boolean),
    mounts: Object.fromEntries(
      words("mount").map(([name, target = "", type = "", source = "", options = ""]) => [
        name,
        { target, type, source, options: options.split(",") },
      ]),
    ),
    imagesHang: has("images-hang"),
    storage: { driver: one("driver"), place: pairs("bucket") },
    boots: all("boots"),
    waitsForImages: has("waits-for-images"),
    ping: Number(one("ping")),
    ...sickOf(one("health")),
    ...(has("certificate") ? { certificateDays: (Number(one("certificate")) - answered) / 86_400 } : {}),
    disks: Object.fromEntries(words("disk").map(([mount = "", percent]) => [mount, Number(percent)])),
    ...databaseOf(one("database"), has("written"), one("database-error")),
    ...(has("server") ? { server: server.parse(JSON.parse(one("server"))) } : {}),
    ...redisOf(pairs("redis"), one("redis-error")),
  };
}

function sickOf(text: string): Pick<Survey, "sick"> {
  try {
    return { sick: sickIn(text) };
  } catch {
    return {};
  }
}

function databaseOf(text: string, written: boolean, error: string): Pick<Survey, "database"> {
  if (error) return { database: { error } };
  if (!text) return {};
  const [system, name, inRecovery, readOnly] = text.split(" ");
  return {
    database: { identity: `${system}/${name}`, inRecovery: inRecovery === "t", readOnly: readOnly === "on", written },
  };
}

function redisOf(info: Record<string, string>, error: string): Pick<Survey, "redis"> {
  if (error) return { redis: { error } };
  return Object.keys(info).length > 0 ? { redis: info } : {};
}
