import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import type { AgentSettings } from "../../components/model/agent.ts";
import type { HostFacts } from "../../components/model/host-facts.ts";
import { hostPaths } from "../../components/model/paths.ts";
import type { DataService } from "../../components/model/topology.ts";
import { observedUnits } from "../../components/model/units.ts";
import type { RecordClient } from "../record/client.ts";
import { decideBoot, decideRedisBoot } from "./boot.ts";
import { readBootFacts } from "./boot-facts.ts";
import { complaint } from "./complaint.ts";
import { configuredRedisRole } from "./data.ts";
import { readKnown } from "./known.ts";
import { PostgresSession } from "./postgres-session.ts";
import { type HarborAnswer, harborAnswers, leased, redisRole } from "./probes.ts";

const execute = promisify(execFile);

/** Whoever asks for the facts waits for them. */
const storageDeadlineMs = 4_000;

/** What an agent that runs has at hand: the record, open already, and what Harbor answered last. */
export interface AtHand {
  record: RecordClient;
  harbor?: HarborAnswer;
}

/** Everything about this host that operations decide by, read once. Writes nothing. */
export async function collectFacts(settings: AgentSettings, atHand?: AtHand): Promise<HostFacts> {
  const session = new PostgresSession();
  const here = (service: DataService) => settings.services.includes(service);
  const [server, redis, harborUp, storage, boot, database, cache, shown, hostname, addresses] = await Promise.all([
    here("postgres") ? session.state().finally(() => session.close()) : ("down" as const),
    here("redis") ? redisRole() : ("down" as const),
    atHand?.harbor ?? harborAnswers(),
    storageState(),
    readBootFacts(settings, atHand?.record),
    here("postgres") ? undefined : complaint(`${hostPaths.programs}/pgbouncer.sh`, 10_000),
    here("redis") ? undefined : complaint(`${hostPaths.programs}/redis.sh`, 10_000),
    run("systemctl", [
      "show",
      "--property=ActiveState,ConditionResult,ConditionTimestampMonotonic",
      ...observedUnits.map((unit) => `${unit}.service`),
    ]),
    run("hostname", []),
    run("ip", ["-o", "-4", "addr", "show"]),
  ]);
  const states = shown.split("\n\n").map((text) =>
    Object.fromEntries(
      text
        .trim()
        .split("\n")
        .map((line) => line.split("=", 2) as [string, string]),
    ),
  );
  return {
    hostname: hostname.trim(),
    units: Object.fromEntries(observedUnits.map((unit, index) => [unit, unitState(states[index])])),
    restartNeeded: list(`${hostPaths.state}/restart-needed`).map(decodeURIComponent).sort(),
    postgres: {
      data: boot.data.state,
      standbySignal: boot.data.standbySignal,
      role: typeof server === "object" ? server.role : server,
      systemIdentifier: boot.data.systemIdentifier,
      timeline: boot.data.timeline,
      firstToken: read("/var/lib/postgresql/17/first-token"),
      boot: decideBoot(boot),
    },
    redis: { role: redis, configured: configuredRedisRole(), boot: decideRedisBoot(boot, configuredRedisRole()) },
    record: { belief: boot.belief, known: readKnown() },
    harbor: {
      installed: read(`${hostPaths.state}/harbor/installed`),
      received: list(`${hostPaths.state}/harbor`)
        .map((name) => /^installer-([0-9a-f]{64})\.tgz$/.exec(name)?.[1])
        .filter((sha) => sha !== undefined),
      scheduled: existsSync(`${hostPaths.state}/harbor/scheduled`),
      answers: harborUp !== "no",
      drained: leased("drain"),
      standIn: harborUp === "stand-in",
    },
    storage,
    maintenance: leased("maintenance"),
    unreachable: { ...(database ? { database } : {}), ...(cache ? { redis: cache } : {}) },
    addresses: addresses
      .split(/\s+/)
      .filter((word) => /^\d+\.\d+\.\d+\.\d+\/\d+$/.test(word))
      .map((word) => word.split("/")[0] as string),
  };
}

/** A unit that systemd skipped, because a condition of its own says it makes no sense here, is not down. */
function unitState(properties: Record<string, string> = {}): string {
  const { ActiveState = "unknown", ConditionResult, ConditionTimestampMonotonic } = properties;
  const skipped = ActiveState === "inactive" && ConditionResult === "no" && ConditionTimestampMonotonic !== "0";
  return skipped ? "skipped" : ActiveState;
}

async function storageState(): Promise<HostFacts["storage"]> {
  const reason = await complaint(`${hostPaths.programs}/storage-guard.sh`, storageDeadlineMs);
  return {
    ok: reason === "",
    id: read(`${hostPaths.state}/storage-id`),
    reason: reason.replace(/^(?!storage:)(?=.)/, "storage: "),
  };
}

const run = (program: string, args: string[]) =>
  execute(program, args, { timeout: 10_000 }).then(
    ({ stdout }) => stdout,
    () => "",
  );
const list = (directory: string) =>
  existsSync(directory) ? readdirSync(directory).filter((name) => !name.endsWith(".new")) : [];
const read = (file: string) => (existsSync(file) ? readFileSync(file, "utf8").trim() : "");
