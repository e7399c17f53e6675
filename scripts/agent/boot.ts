import { type Belief, type BootDecision, type RecordEntry, settled } from "../../components/model/record.ts";
import { redisMaster } from "../../components/model/units.ts";

/** What lies in PostgreSQL's data directory, read while the server is down. */
export interface DataOnDisk {
  state: "empty" | "present" | "unknown";
  standbySignal: boolean;
  /** From pg_controldata; absent where there is no database. */
  systemIdentifier?: string;
  timeline?: number;
}

/** What the other node's agent says, if it answers. */
export type PeerAnswer = { state: "silent" } | { state: "answers"; primary?: boolean; known?: RecordEntry };

export interface BootFacts {
  self: string;
  belief: Belief;
  peer: PeerAnswer;
  data: DataOnDisk;
  /** Token of the operation that acts on this host right now, under its lock. */
  operation?: string;
}

interface BootRule {
  id: string;
  /** The condition, for people. */
  when: string;
  decide: (facts: BootFacts) => { start: "primary" | "standby" } | { sentence: string; remedy: string } | undefined;
}

const roll = "run harbor-ha roll";
const adopt = "bring the storage back; if it is lost for good: harbor-ha record adopt --i-lost-the-record";

/** First match wins. Booting never promotes, demotes or rewinds: a node becomes writable only where the record says so. */
export const bootRules: BootRule[] = [
  {
    id: "boot.unknown-data",
    when: "the data directory holds files that are no database",
    decide: ({ data }) =>
      data.state === "unknown"
        ? { sentence: "the data directory holds files that are no database", remedy: "look at it by hand" }
        : undefined,
  },
  {
    id: "boot.no-data",
    when: "there is no data",
    decide: ({ data }) =>
      data.state === "empty" ? { sentence: "there is no database here yet", remedy: roll } : undefined,
  },
  {
    // A standby writes nothing of its own, whatever the record says.
    id: "boot.standby",
    when: "the data is a standby's",
    decide: ({ data }) => (data.standbySignal ? { start: "standby" } : undefined),
  },
  {
    id: "boot.record-unreadable",
    when: "the record cannot be read or believed",
    decide: ({ belief }) =>
      belief.state === "unreadable"
        ? { sentence: `the record cannot be trusted (${belief.reason})`, remedy: adopt }
        : undefined,
  },
  {
    id: "boot.no-record",
    when: "there is no record",
    decide: ({ belief }) =>
      belief.state === "none" ? { sentence: "there is no record beside this database yet", remedy: roll } : undefined,
  },
  {
    id: "boot.peer-knows-more",
    when: "the other node answers, and has seen a newer entry than the record's newest",
    decide: ({ belief, peer }) =>
      belief.state === "good" && peer.state === "answers" && (peer.known?.epoch ?? 0) > belief.newest.epoch
        ? {
            sentence: `the other node has seen entry ${peer.known?.epoch}, the record here ends at ${belief.newest.epoch}`,
            remedy: adopt,
          }
        : undefined,
  },
  {
    id: "boot.other-primary",
    when: "the newest entry names the other node",
    decide: withNewest(({ self }, newest) =>
      newest.primary !== self
        ? {
            sentence: `entry ${newest.epoch} names ${newest.primary} as primary, and this data is a former primary's`,
            remedy: "run harbor-ha rejoin",
          }
        : undefined,
    ),
  },
  {
    id: "boot.under-way",
    when: "the newest entry is an intent, and this start is no step of it",
    decide: withNewest(({ operation }, newest) =>
      settled(newest) || operation === newest.token
        ? undefined
        : {
            sentence: `entry ${newest.epoch} is an intent that nobody has finished (by ${newest.by}, ${newest.at})`,
            remedy: "run the same command again that began it",
          },
    ),
  },
  {
    id: "boot.other-database",
    when: "the database is not the one that the newest entry names",
    decide: withNewest(({ data }, newest) =>
      newest.systemIdentifier !== undefined && newest.systemIdentifier !== data.systemIdentifier
        ? {
            sentence: `this database (${data.systemIdentifier ?? "unreadable"}) is not the record's (${newest.systemIdentifier})`,
            remedy: "look at it by hand: the data directory or the storage is another cluster's",
          }
        : undefined,
    ),
  },
  {
    id: "boot.other-timeline",
    when: "the database is not on the timeline that the newest entry names",
    decide: withNewest(({ data }, newest) =>
      newest.timeline !== undefined && newest.timeline !== data.timeline
        ? {
            sentence: `this database is on timeline ${data.timeline ?? "unknown"}, the record's primary on ${newest.timeline}`,
            remedy: "run harbor-ha rejoin",
          }
        : undefined,
    ),
  },
  {
    id: "boot.primary",
    when: "anything else: the newest entry is settled and names this node",
    decide: () => ({ start: "primary" }),
  },
];

/** Whether PostgreSQL may start on this node, and as what. Pure; the last rule always matches. */
export function decideBoot(facts: BootFacts): BootDecision {
  for (const { id, decide } of bootRules) {
    const decision = decide(facts);
    if (decision) return { rule: id, start: "no", ...decision } as BootDecision;
  }
  throw new Error("no rule of the boot table matched");
}

/**
 * Whether Redis may start: a replica always, the master only where PostgreSQL's primary may be, for the two move together.
 * `configured` is what role.conf says.
 */
export function decideRedisBoot(facts: Omit<BootFacts, "data">, configured: string): BootDecision {
  if (configured === "")
    return { start: "no", rule: "boot.no-data", sentence: "Redis has no role here yet", remedy: roll };
  if (configured !== redisMaster) return { start: "standby", rule: "boot.standby" };
  const newest = facts.belief.state === "good" ? facts.belief.newest : undefined;
  // Redis has no identity of its own: only what the record says about nodes applies to it.
  const data: DataOnDisk = {
    state: "present",
    standbySignal: false,
    systemIdentifier: newest?.systemIdentifier,
    timeline: newest?.timeline,
  };
  return decideBoot({ ...facts, data });
}

function withNewest(decide: (facts: BootFacts, newest: RecordEntry) => ReturnType<BootRule["decide"]>) {
  return (facts: BootFacts) => (facts.belief.state === "good" ? decide(facts, facts.belief.newest) : undefined);
}
