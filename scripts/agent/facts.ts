import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { HostFacts } from "../../components/model/host-facts.ts";
import { hostPaths } from "../../components/model/paths.ts";
import { decideBoot, decideRedisBoot } from "./boot.ts";
import { readBootFacts } from "./boot-facts.ts";
import { configuredRedisRole } from "./data.ts";
import { readKnown } from "./known.ts";
import { PostgresSession } from "./postgres-session.ts";
import { drained, harborAnswers, redisRole } from "./probes.ts";
import { readSettings } from "./settings.ts";

/** Everything about this host that operations decide by, read once. Writes nothing. */
export async function collectFacts(): Promise<HostFacts> {
  const session = new PostgresSession();
  const [server, redis, harborUp, boot] = await Promise.all([
    session.state().finally(() => session.close()),
    redisRole(),
    harborAnswers(),
    readBootFacts(readSettings()),
  ]);
  const units = [
    "postgresql@17-main",
    "redis-server",
    "pgbouncer",
    "haproxy",
    "keepalived",
    "chrony",
    "docker",
    "harbor-ha-agent",
    "harbor-ha-harbor",
  ];
  const states = run("systemctl", [
    "show",
    "--property=ActiveState,ConditionResult,ConditionTimestampMonotonic",
    ...units.map((unit) => `${unit}.service`),
  ])
    .split("\n\n")
    .map((text) =>
      Object.fromEntries(
        text
          .trim()
          .split("\n")
          .map((line) => line.split("=", 2) as [string, string]),
      ),
    );
  return {
    hostname: run("hostname", []).trim(),
    units: Object.fromEntries(units.map((unit, index) => [unit, unitState(states[index])])),
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
      answers: harborUp !== "no",
      drained: drained(),
      standIn: harborUp === "stand-in",
    },
    storage: storageState(),
    addresses: run("ip", ["-o", "-4", "addr", "show"])
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

/** Asked through a child with a deadline: a hung share must not hang us. */
function storageState(): HostFacts["storage"] {
  const result = spawnSync(`${hostPaths.programs}/storage-guard.sh`, ["check"], { encoding: "utf8", timeout: 15_000 });
  if (result.error) return { ok: false, id: read(`${hostPaths.state}/storage-id`), reason: "the guard did not answer" };
  return { ok: result.status === 0, id: read(`${hostPaths.state}/storage-id`), reason: result.stderr.trim() };
}

const run = (program: string, args: string[]) =>
  spawnSync(program, args, { encoding: "utf8", timeout: 10_000 }).stdout ?? "";
const list = (directory: string) =>
  existsSync(directory) ? readdirSync(directory).filter((name) => !name.endsWith(".new")) : [];
const read = (file: string) => (existsSync(file) ? readFileSync(file, "utf8").trim() : "");
