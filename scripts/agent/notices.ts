import type { RecordEntry } from "../../components/model/record.ts";

/** What is watched for people. Durations in milliseconds, sizes as fractions. */
export interface Watched {
  self: string;
  /** Since when no node of the pair is known to be primary; undefined: one is. */
  noPrimaryMs?: number;
  /** Since when the record cannot be trusted. */
  recordUnreadable?: { forMs: number; reason: string };
  newest?: RecordEntry;
  /** How full the fullest local file systems are, by mount point. */
  disks: Record<string, number>;
  certificateDaysLeft?: number;
  holdsEndpoint?: boolean;
}

/** A condition that people should know of while it lasts; `id` is stable. */
export interface Condition {
  id: string;
  severity: "warning" | "critical";
  sentence: string;
}

const patienceMs = 10_000;

/** What is not as it should be, in the words that people get. Pure. */
export function conditions(watched: Watched): Condition[] {
  const { self, newest, noPrimaryMs, recordUnreadable, disks, certificateDaysLeft } = watched;
  const found: Condition[] = [];
  if ((noPrimaryMs ?? 0) >= patienceMs)
    found.push({ id: "no-primary", severity: "critical", sentence: "no node is primary: Harbor cannot write" });
  if (recordUnreadable && recordUnreadable.forMs >= patienceMs)
    found.push({
      id: "record-unreadable",
      severity: "critical",
      sentence: `the cluster record cannot be trusted (${recordUnreadable.reason}): nothing can be started or moved`,
    });
  if (newest?.primary === self && newest.kind !== "intent" && newest.epoch > 2 && newest.sync.length === 0)
    found.push({
      id: "degraded",
      severity: "warning",
      sentence: "the standby is away and writes go on without it: a failover now would lose them",
    });
  for (const [mount, used] of Object.entries(disks))
    if (used >= 0.8)
      found.push({
        id: `disk ${mount}`,
        severity: used >= 0.9 ? "critical" : "warning",
        sentence: `${mount} is ${Math.floor(used * 100)} % full`,
      });
  if (certificateDaysLeft !== undefined && certificateDaysLeft < 30)
    found.push({
      id: "certificate",
      severity: certificateDaysLeft < 7 ? "critical" : "warning",
      sentence:
        certificateDaysLeft < 0
          ? "the endpoint's certificate has expired"
          : `the endpoint's certificate expires in ${Math.floor(certificateDaysLeft)} days`,
    });
  return found;
}

/** One message to people. */
export interface Notice {
  id: string;
  state: "raised" | "cleared" | "event";
  severity: "info" | "warning" | "critical";
  sentence: string;
}

/**
 * What people are told now: conditions that are new or got worse, and those that are over. `told` is what they were told
 * and have not been told to be over; the caller keeps it. Pure.
 */
export function notices(told: ReadonlyMap<string, Condition>, now: Condition[]): Notice[] {
  const raised = now
    .filter(({ id, severity }) => told.get(id)?.severity !== severity)
    .map((condition): Notice => ({ ...condition, state: "raised" }));
  const ids = new Set(now.map(({ id }) => id));
  const cleared = [...told.values()]
    .filter(({ id }) => !ids.has(id))
    .map(({ id, sentence }): Notice => ({ id, state: "cleared", severity: "info", sentence: `over: ${sentence}` }));
  return [...raised, ...cleared];
}
