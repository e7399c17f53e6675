import { type Belief, type RecordEntry, settled } from "../../components/model/record.ts";
import type { PeerAnswer } from "./boot.ts";

/** The standby as its primary sees it. `silentMs`: since its last sign of life; absent standbys are silent too. */
export interface StandbySeen {
  streaming: boolean;
  synchronous: boolean;
  silentMs: number;
  /** Position up to which everything is safe on the standby's disk, in bytes. */
  flushed?: bigint;
}

export interface RunningFacts {
  self: string;
  peerName: string;
  belief: Belief;
  peer: PeerAnswer;
  /** Newest entry this node has seen in any way: record, own copy, peer. */
  newest?: RecordEntry;
  /** Since the newest entry names the other node; 0: it does not. */
  overtakenMs: number;
  /** Since neither the record could be read nor the peer answered; 0: one of them does. */
  isolatedMs: number;
  /** Whether PostgreSQL here takes writes, or may: it does not answer and its data is a primary's. */
  writable: boolean;
  redisMaster: boolean;
  strict: boolean;
  degradeAfterMs: number;
  /** What a writable PostgreSQL that answers says. */
  replication?: { synchronousNames: string; standby: StandbySeen; provenFrom?: bigint };
}

/** What the agent does about a running server. */
export type RunningAction =
  | { do: "stop" }
  | { do: "claim"; kind: "degraded" | "synced"; sync: string[] }
  | { do: "wait-for-standby" }
  | { do: "stop-waiting" }
  /** Lets the server prove that every commit from a position on waits for the standby. */
  | { do: "prove-waiting" };

interface RunningRule {
  id: string;
  /** The condition, for people. */
  when: string;
  sentence: string;
  decide: (facts: RunningFacts) => RunningAction | undefined;
}

/** Neither peer nor record for so long: the other node may have been promoted meanwhile. */
const isolationLimitMs = 20_000;

/** Whoever made an intent stops the former primary in order, which costs its clients less; here only in case nobody does. */
const intentGraceMs = 5_000;

/** First match wins; nothing to do where none does. */
export const runningRules: RunningRule[] = [
  {
    id: "running.overtaken",
    when: "something here leads, and the newest entry that was seen anywhere names the other node; if it is an intent, for 5 s already",
    sentence: "the newest entry names the other node as primary: PostgreSQL and Redis stop here",
    decide: ({ self, newest, writable, redisMaster, overtakenMs }) =>
      (writable || redisMaster) &&
      newest &&
      newest.primary !== self &&
      (settled(newest) || overtakenMs >= intentGraceMs)
        ? { do: "stop" }
        : undefined,
  },
  {
    id: "running.isolated",
    when: "something here leads, and neither the other node nor the record could be reached for 20 s",
    sentence: "neither the other node nor the record could be reached for 20 s: PostgreSQL and Redis stop here",
    decide: ({ isolatedMs, writable, redisMaster }) =>
      (writable || redisMaster) && isolatedMs >= isolationLimitMs ? { do: "stop" } : undefined,
  },
  {
    id: "sync.repair",
    when: "the record names the standby in sync, and commits do not wait for it",
    sentence: "the record says that commits wait for the standby, PostgreSQL did not: it does from now on",
    decide: asPrimary(({ peerName, replication }, entry) =>
      entry.sync.includes(peerName) && replication.synchronousNames !== quoted(peerName)
        ? { do: "wait-for-standby" }
        : undefined,
    ),
  },
  {
    id: "sync.degrade",
    when: "the record names the standby in sync, it has been silent for `degradeAfterSeconds`, and durability is `available`",
    sentence: "the standby is gone: after this entry writes go on without it",
    decide: asPrimary(({ peerName, strict, degradeAfterMs, replication: { standby } }, entry) =>
      entry.sync.includes(peerName) && !strict && standby.silentMs >= degradeAfterMs
        ? { do: "claim", kind: "degraded", sync: [] }
        : undefined,
    ),
  },
  {
    id: "sync.release",
    when: "the record names none in sync, commits wait for one, it has been silent for so long, and durability is `available`",
    sentence: "the record says degraded: writes no longer wait for the standby",
    decide: asPrimary(({ strict, degradeAfterMs, replication: { standby, synchronousNames } }, entry) =>
      entry.sync.length === 0 && !strict && synchronousNames !== "" && standby.silentMs >= degradeAfterMs
        ? { do: "stop-waiting" }
        : undefined,
    ),
  },
  {
    id: "sync.wait",
    when: "the record names none in sync, the standby streams, and commits do not wait for it",
    sentence: "the standby streams again: commits wait for it from now on",
    decide: asPrimary(({ peerName, degradeAfterMs, replication: { standby, synchronousNames } }, entry) =>
      entry.sync.length === 0 && alive(standby, degradeAfterMs) && synchronousNames !== quoted(peerName)
        ? { do: "wait-for-standby" }
        : undefined,
    ),
  },
  {
    id: "sync.prove",
    when: "the record names none in sync, commits wait for the standby, and it is not known from which position on",
    sentence: "the server is asked for a position from which on every commit has waited",
    decide: asPrimary(({ degradeAfterMs, replication: { standby, provenFrom } }, entry) =>
      entry.sync.length === 0 && alive(standby, degradeAfterMs) && standby.synchronous && provenFrom === undefined
        ? { do: "prove-waiting" }
        : undefined,
    ),
  },
  {
    id: "sync.synced",
    when: "the record names none in sync, and the standby holds everything before the position from which on commits have waited",
    sentence: "the standby holds everything that was acknowledged, and the record says so",
    decide: asPrimary(({ peerName, degradeAfterMs, replication: { standby, provenFrom } }, entry) =>
      entry.sync.length === 0 &&
      alive(standby, degradeAfterMs) &&
      standby.synchronous &&
      provenFrom !== undefined &&
      (standby.flushed ?? -1n) >= provenFrom
        ? { do: "claim", kind: "synced", sync: [peerName] }
        : undefined,
    ),
  },
];

/** What the agent does next about its servers. Pure. */
export function decideRunning(
  facts: RunningFacts,
): { rule: string; sentence: string; action: RunningAction } | undefined {
  for (const { id, sentence, decide } of runningRules) {
    const action = decide(facts);
    if (action) return { rule: id, sentence, action };
  }
  return undefined;
}

/** The name as synchronous_standby_names holds it. */
export const quoted = (name: string) => `"${name}"`;

const alive = ({ streaming, silentMs }: StandbySeen, limit: number) => streaming && silentMs < limit;

/** For the rules of a primary that the settled record names, and that no newer entry has overtaken. */
function asPrimary(
  decide: (
    facts: RunningFacts & { replication: NonNullable<RunningFacts["replication"]> },
    entry: RecordEntry,
  ) => RunningAction | undefined,
): RunningRule["decide"] {
  return (facts) => {
    const { self, belief, peer, replication } = facts;
    if (belief.state !== "good" || !facts.writable || !replication) return undefined;
    const entry = belief.newest;
    if (!settled(entry) || entry.primary !== self) return undefined;
    // A record that went back must not be written on.
    if (peer.state === "answers" && (peer.known?.epoch ?? 0) > entry.epoch) return undefined;
    return decide({ ...facts, replication }, entry);
  };
}
