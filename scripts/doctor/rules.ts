import type { Examination } from "../../components/model/examination.ts";
import type { Inventory } from "../../components/model/inventory.ts";
import { dataServices } from "../../components/model/topology.ts";
import { newestEntry, type Observation } from "../cluster/observe.ts";
import { type Summary, summarize } from "../cluster/summary.ts";

export interface Diagnosis {
  /** Stable. */
  id: string;
  /** `critical`: the pair is not whole now; `warning`: it would break the next failover or restore; `notice`: worth knowing. */
  severity: "critical" | "warning" | "notice";
  node?: string;
  sentence: string;
  remedy: string;
  /** What `doctor --fix` does about it, where that is safe. */
  fix?: { do: "hold"; packages: string[] } | { do: "start"; unit: string };
}

/** What a doctor decides by; an examination is absent where the host could not be asked. */
export interface Patient {
  inventory: Inventory;
  observation: Observation;
  examinations: Record<string, Examination | undefined>;
  /** What a trial of the fence found. */
  fence?: Diagnosis[];
}

const clockSeconds = 2;
const certificateDays = 30;
const diskDays = 30;

/** Every condition that would break the next failover, and what is broken now. Pure. */
export function diagnose(patient: Patient): Diagnosis[] {
  return bySeverity([...symptoms(patient), ...beyondStatus(patient), ...(patient.fence ?? [])]);
}

/** What only an examination finds. */
const beyondStatus = (patient: Patient): Diagnosis[] => [...ofNodes(patient), ...ofPair(patient)];

/** What `status` says: what is seen at a glance, and what is broken now without being seen. Pure. */
export function condition(patient: Patient): Summary {
  const hidden = beyondStatus(patient).filter(({ severity }) => severity === "critical");
  return summarize(patient.inventory, patient.observation, hidden);
}

/** The worst first. */
export function bySeverity(found: Diagnosis[]): Diagnosis[] {
  const rank = ({ severity }: Diagnosis) => ["critical", "warning", "notice"].indexOf(severity);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** What is to be said of two nodes whose clocks are so many seconds apart. */
export function clockSkew(seconds: number): Diagnosis[] {
  if (seconds <= clockSeconds) return [];
  return [
    {
      id: "clock.skew",
      severity: "warning",
      sentence: `the nodes' clocks are ${seconds.toFixed(0)} s apart: tokens of one are refused by the other`,
      remedy: "look at chronyc tracking on both",
    },
  ];
}

/** What `status` says is a symptom too. */
function symptoms({ inventory, observation }: Patient): Diagnosis[] {
  return summarize(inventory, observation).findings.map(({ id, node, sentence }) => {
    const rolled = ["unit.down", "restart.needed", "harbor.installer"].includes(id);
    const unit = id === "unit.down" ? / (\S+) is \w+$/.exec(sentence)?.[1] : undefined;
    return {
      id,
      severity: "critical",
      ...(node ? { node } : {}),
      sentence: `${sentence}`,
      remedy: rolled ? "harbor-ha roll" : "docs/runbook.md: what to do when",
      ...(unit ? { fix: { do: "start", unit: `${unit}.service` } } : {}),
    };
  });
}

function ofNodes({ inventory, observation, examinations }: Patient): Diagnosis[] {
  const found: Diagnosis[] = [];
  for (const [node, examination] of Object.entries(examinations)) {
    const add = (
      id: string,
      severity: Diagnosis["severity"],
      sentence: string,
      remedy: string,
      fix?: Diagnosis["fix"],
    ) => found.push({ id, severity, node, sentence: `${node}: ${sentence}`, remedy, ...(fix ? { fix } : {}) });
    if (!examination) {
      if (observation[node]?.host)
        add("host.unexamined", "warning", "could not be examined", "pulumi up brings today's programs; then ask again");
      continue;
    }
    for (const { path, service, is } of examination.drift)
      add(
        "host.drift",
        "warning",
        `${path} is ${is} since it was applied`,
        `take what you meant into the stack's configuration, then have it written anew: pulumi up --replace '**${node}-${service}', then harbor-ha roll`,
      );
    if (examination.unheld.length > 0)
      add(
        "packages.unheld",
        "warning",
        `an upgrade may restart ${examination.unheld.join(", ")} under clients`,
        `apt-mark hold ${examination.unheld.join(" ")}`,
        { do: "hold", packages: examination.unheld },
      );
    if (examination.write)
      add(
        "harbor.no-write",
        "critical",
        `Harbor here could not write to its database: ${examination.write}`,
        "harbor-ha status says what the primary lacks; on one node alone look at its PgBouncer and HAProxy",
      );
    for (const [name, error] of Object.entries(examination.components))
      add(
        "harbor.component",
        "critical",
        `Harbor's ${name} is not healthy (${error})`,
        `docker compose logs ${name} in /opt/harbor on ${node}`,
      );
    for (const [path, days] of Object.entries(examination.certificates))
      if (days < certificateDays)
        add(
          "certificate.expires",
          days < 7 ? "critical" : "warning",
          `${path} ${days < 0 ? "has expired" : `expires in ${Math.floor(days)} days`}`,
          path.startsWith("/etc/postgresql")
            ? "`init` made it for ten years; nothing renews it yet"
            : "give a new one by the option tls, then pulumi up",
        );
    for (const [mount, used] of Object.entries(examination.disks))
      if (used >= 0.8)
        add(
          "disk.full",
          used >= 0.9 ? "critical" : "warning",
          `${mount} is ${Math.floor(used * 100)} % full`,
          "free space or enlarge it: PostgreSQL stops on a full disk",
        );
    for (const [mount, days] of Object.entries(examination.daysUntilFull ?? {}))
      if (days < diskDays)
        add(
          "disk.filling",
          "warning",
          `${mount} will be full in ${Math.floor(days)} days at its pace of the last two weeks`,
          "find what grows, or enlarge it: PostgreSQL stops on a full disk",
        );
    if (examination.leftovers.length > 0)
      add(
        "postgres.leftovers",
        "notice",
        `data of a rejoin or copy that did not end: ${examination.leftovers.join(", ")}`,
        "harbor-ha rejoin where the node is not a standby yet; else delete it by hand",
      );
  }
  if (inventory.fence.kind === "none")
    found.push({
      id: "fence.none",
      severity: "notice",
      sentence: "nothing can switch a lost primary off (hosts.fence is none): a failover will wait for your word",
      remedy: "set hosts.fence to a command that does",
    });
  return found;
}

function ofPair({ inventory, observation, examinations }: Patient): Diagnosis[] {
  const found: Diagnosis[] = [];
  const add = (id: string, severity: Diagnosis["severity"], sentence: string, remedy: string) =>
    found.push({ id, severity, sentence, remedy });
  const [one, two] = Object.values(examinations);
  if (one && two) {
    const differing = Object.keys(one.fingerprints).filter((name) => one.fingerprints[name] !== two.fingerprints[name]);
    if (differing.length > 0)
      add(
        "nodes.differ",
        "critical",
        `the nodes do not have the same ${differing.join(", ")}: what one encrypts or signs the other cannot read`,
        "pulumi up; if it says that nothing has changed, look at host.drift",
      );
    found.push(...clockSkew(Math.abs(one.clock - two.clock)));
  }
  const nodes = Object.values(observation);
  if (dataServices(inventory.topology).includes("postgres")) {
    const primary = nodes.find(({ host }) => host?.postgres.role === "primary");
    const standby = nodes.find(({ name }) => name !== primary?.name);
    const newest = newestEntry(nodes);
    if (primary?.postgres && standby) {
      const slot = primary.postgres.slots.find(({ name }) => name === standby.name);
      const limit = examinations[primary.name]?.maxSlotWalKeepBytes;
      if (!slot)
        add(
          "slot.missing",
          "warning",
          `${primary.name} keeps no slot for ${standby.name}: after an absence it would have to be copied anew`,
          "harbor-ha rejoin makes it",
        );
      else if (limit !== undefined && slot.keptBytes > limit * 0.7)
        add(
          "slot.bloated",
          "warning",
          `${primary.name} keeps ${Math.round(slot.keptBytes / 1e6)} MB of WAL for ${standby.name}; at ${Math.round(limit / 1e6)} MB it gives up, and ${standby.name} has to be copied anew`,
          `bring ${standby.name} back, or raise postgres.maxSlotWalKeepMb`,
        );
      const stray = primary.postgres.slots.filter(({ name, active }) => name !== standby.name && !active);
      if (stray.length > 0)
        add(
          "slot.stray",
          "warning",
          `${primary.name} keeps WAL for nobody: slot ${stray.map(({ name }) => name).join(", ")}`,
          "drop it if nothing of yours uses it: SELECT pg_drop_replication_slot('…')",
        );
      const waits = primary.postgres.synchronousStandbyNames;
      if (newest && newest.sync.includes(standby.name) !== (waits === `"${standby.name}"`))
        add(
          "sync.mismatch",
          "critical",
          `the record says that commits wait for ${newest.sync.join() || "nobody"}, PostgreSQL on ${primary.name} waits for ${waits || "nobody"}`,
          "the agent mends it within seconds: look at journalctl -u harbor-ha-agent if it stays",
        );
    }
  }
  for (const { name, redis } of nodes)
    if (redis && redis.maxMemory > 0 && redis.usedMemory > redis.maxMemory * 0.8)
      add(
        "redis.memory",
        "warning",
        `Redis on ${name} uses ${Math.round((redis.usedMemory / redis.maxMemory) * 100)} % of its memory: at the limit logins and jobs fail`,
        "raise redis.maxMemoryMb",
      );
  return found;
}
