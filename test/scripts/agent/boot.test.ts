import { describe, expect, test } from "vitest";
import type { Belief } from "../../../components/model/record.ts";
import { type BootFacts, bootRules, decideBoot, decideRedisBoot } from "../../../scripts/agent/boot.ts";
import { sampleEntry } from "../../support/sample.ts";

const kinds = ["intent", "done", "degraded", "synced", "restored", "aborted"] as const;
const beliefs: Belief[] = [
  { state: "none" },
  { state: "unreadable", reason: "EIO" },
  ...kinds.flatMap((kind) =>
    ["node1", "node2"].flatMap((primary) =>
      [
        { systemIdentifier: "7", timeline: 3 },
        { systemIdentifier: "8", timeline: 3 },
        { systemIdentifier: "7", timeline: 4 },
        { systemIdentifier: undefined, timeline: undefined },
      ].map((identity): Belief => ({ state: "good", newest: sampleEntry({ kind, primary, ...identity }) })),
    ),
  ),
];
const peers: BootFacts["peer"][] = [
  { state: "silent" },
  { state: "answers" },
  ...[4, 5, 6].map((epoch) => ({ state: "answers", known: sampleEntry({ epoch }) }) as const),
];
const datas: BootFacts["data"][] = (["empty", "unknown", "present"] as const).flatMap((state) =>
  [true, false].flatMap((standbySignal) =>
    [{ systemIdentifier: "7", timeline: 3 }, { systemIdentifier: "7", timeline: 4 }, {}].map((identity) => ({
      state,
      standbySignal,
      ...identity,
    })),
  ),
);
const operations = [undefined, "token-of-the-entry", "token-of-another"];

const combinations: BootFacts[] = beliefs.flatMap((belief) =>
  peers.flatMap((peer) =>
    datas.flatMap((data) => operations.map((operation) => ({ self: "node1", belief, peer, data, operation }))),
  ),
);

/** When a node may become writable, told from the design and not from the rules. */
function mayBePrimary({ belief, peer, data, operation, self }: BootFacts): boolean {
  if (data.state !== "present" || data.standbySignal || belief.state !== "good") return false;
  const { newest } = belief;
  return (
    newest.primary === self &&
    (newest.kind !== "intent" || operation === newest.token) &&
    (newest.systemIdentifier === undefined || newest.systemIdentifier === data.systemIdentifier) &&
    (newest.timeline === undefined || newest.timeline === data.timeline) &&
    !(peer.state === "answers" && (peer.known?.epoch ?? 0) > newest.epoch)
  );
}

describe(`the boot table, over all ${combinations.length} combinations of facts`, () => {
  test("starts a primary exactly where the record settles it, and a standby exactly where there is one", () => {
    const hit = new Set<string>();
    for (const facts of combinations) {
      const decision = decideBoot(facts);
      hit.add(decision.rule);
      const standby = facts.data.state === "present" && facts.data.standbySignal;
      const wanted = mayBePrimary(facts) ? "primary" : standby ? "standby" : "no";
      expect(decision.start, JSON.stringify(facts)).toBe(wanted);
    }
    expect(bootRules.map(({ id }) => id).filter((id) => !hit.has(id))).toEqual([]);
  });

  test("whoever stays down says why and what to do, in one sentence without a stop", () => {
    for (const facts of combinations) {
      const decision = decideBoot(facts);
      if (decision.start !== "no") continue;
      expect(decision.sentence).toMatch(/^[a-z].*[^.]$/);
      expect(decision.remedy).not.toBe("");
    }
  });

  test("never lets both nodes start as primary by the same record", () => {
    const data = { state: "present", standbySignal: false, systemIdentifier: "7", timeline: 3 } as const;
    for (const belief of beliefs)
      for (const peer of peers) {
        const starts = ["node1", "node2"].filter(
          (self) => decideBoot({ self, belief, peer, data, operation: "token-of-the-entry" }).start === "primary",
        );
        expect(starts.length).toBeLessThan(2);
      }
  });
});

describe("Redis", () => {
  test("is the master only where PostgreSQL's primary may be, whatever the database's identity", () => {
    for (const facts of combinations) {
      const newest = facts.belief.state === "good" ? facts.belief.newest : undefined;
      const data = {
        state: "present",
        standbySignal: false,
        systemIdentifier: newest?.systemIdentifier,
        timeline: newest?.timeline,
      } as const;
      const wanted = mayBePrimary({ ...facts, data }) ? "primary" : "no";
      expect(decideRedisBoot(facts, "# master").start).toBe(wanted);
    }
  });

  test("as a replica always starts, without a role never", () => {
    for (const facts of combinations) {
      expect(decideRedisBoot(facts, "replicaof 10.0.0.2 6379").start).toBe("standby");
      expect(decideRedisBoot(facts, "").start).toBe("no");
    }
  });
});
