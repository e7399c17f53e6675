import { describe, expect, test } from "vitest";
import type { Belief, RecordEntry } from "../../../components/model/record.ts";
import { decideRunning, type RunningFacts, runningRules } from "../../../scripts/agent/running.ts";
import { sampleEntry } from "../../support/sample.ts";

const good = (newest: RecordEntry): Belief => ({ state: "good", newest });
const wellStandby = { streaming: true, synchronous: true, silentMs: 100, flushed: 100n };
const gone = { streaming: false, synchronous: false, silentMs: 5_000 };

/** node1 as a primary in good health, with changes. */
const primary = (changes: Partial<RunningFacts> = {}): RunningFacts => ({
  self: "node1",
  peerName: "node2",
  belief: good(sampleEntry()),
  peer: { state: "answers", known: sampleEntry() },
  newest: sampleEntry(),
  overtakenMs: 0,
  isolatedMs: 0,
  writable: true,
  redisMaster: true,
  strict: false,
  degradeAfterMs: 5_000,
  replication: { synchronousNames: '"node2"', standby: wellStandby },
  ...changes,
});
const degraded = sampleEntry({ kind: "degraded", sync: [] });
const rule = (facts: RunningFacts) => decideRunning(facts)?.rule;

test("a well pair is left alone, on both nodes", () => {
  expect(decideRunning(primary())).toBeUndefined();
  const standby = { self: "node2", peerName: "node1", writable: false, redisMaster: false, replication: undefined };
  expect(decideRunning(primary(standby))).toBeUndefined();
});

describe("a server stops", () => {
  test("when the newest entry names the other node, whoever told it; an intent's maker has 5 s to do that in order", () => {
    for (const kind of ["intent", "done", "degraded", "synced", "restored", "aborted"] as const)
      for (const belief of [good(sampleEntry()), { state: "unreadable", reason: "EIO" } as const])
        for (const [writable, redisMaster] of [
          [true, false],
          [false, true],
          [true, true],
        ] as const) {
          const facts = primary({
            belief,
            newest: sampleEntry({ epoch: 6, kind, primary: "node2" }),
            writable,
            redisMaster,
          });
          const stops = { rule: "running.overtaken", action: { do: "stop" } };
          for (const overtakenMs of [0, 4_999])
            if (kind === "intent") expect(decideRunning({ ...facts, overtakenMs })).toBeUndefined();
            else expect(decideRunning({ ...facts, overtakenMs })).toMatchObject(stops);
          expect(decideRunning({ ...facts, overtakenMs: 5_000 })).toMatchObject(stops);
        }
  });

  test("after 20 s without record and peer, and not before", () => {
    const alone = { belief: { state: "unreadable", reason: "EIO" }, peer: { state: "silent" } } as const;
    expect(rule(primary({ ...alone, isolatedMs: 19_999 }))).toBeUndefined();
    expect(rule(primary({ ...alone, isolatedMs: 20_000 }))).toBe("running.isolated");
    expect(rule(primary({ ...alone, isolatedMs: 20_000, writable: false, redisMaster: false }))).toBeUndefined();
  });
});

describe("a standby that is gone", () => {
  const away = (changes: Partial<RunningFacts> = {}) =>
    primary({ replication: { synchronousNames: '"node2"', standby: gone }, ...changes });

  test("is recorded first; only then writes go on", () => {
    expect(decideRunning(away())?.action).toEqual({ do: "claim", kind: "degraded", sync: [] });
    expect(decideRunning(away({ belief: good(degraded), newest: degraded }))?.action).toEqual({ do: "stop-waiting" });
  });

  test("is waited for as long as it may be silent", () => {
    const silent = { ...gone, silentMs: 4_999 };
    expect(rule(away({ replication: { synchronousNames: '"node2"', standby: silent } }))).toBeUndefined();
  });

  test("that hangs, but is still connected, is gone too", () => {
    const hanging = { ...wellStandby, silentMs: 5_000 };
    expect(rule(away({ replication: { synchronousNames: '"node2"', standby: hanging } }))).toBe("sync.degrade");
  });

  test("makes writes wait for ever where durability is strict", () => {
    expect(decideRunning(away({ strict: true }))).toBeUndefined();
    expect(decideRunning(away({ strict: true, belief: good(degraded), newest: degraded }))).toBeUndefined();
  });

  test("makes writes wait while nothing can be recorded", () => {
    for (const changes of [
      { belief: { state: "unreadable", reason: "EIO" } },
      { belief: { state: "none" } },
      { belief: good(sampleEntry({ kind: "intent" })) },
      { peer: { state: "answers", known: sampleEntry({ epoch: 6 }) } },
      { replication: undefined },
    ] as Partial<RunningFacts>[])
      expect(decideRunning(away(changes)), JSON.stringify(changes)).toBeUndefined();
  });
});

describe("a standby that is back", () => {
  const back = (replication: Partial<NonNullable<RunningFacts["replication"]>>) =>
    decideRunning(
      primary({
        belief: good(degraded),
        newest: degraded,
        replication: { synchronousNames: '"node2"', standby: wellStandby, ...replication },
      }),
    )?.action;

  test("is waited for first, proven second, recorded last", () => {
    expect(back({ synchronousNames: "" })).toEqual({ do: "wait-for-standby" });
    expect(back({ standby: { ...wellStandby, synchronous: false } })).toBeUndefined();
    expect(back({})).toEqual({ do: "prove-waiting" });
    expect(back({ provenFrom: 101n })).toBeUndefined();
    expect(back({ provenFrom: 100n })).toEqual({ do: "claim", kind: "synced", sync: ["node2"] });
  });

  test("and goes again before it is recorded is not waited for", () => {
    expect(back({ standby: gone, provenFrom: 100n })).toEqual({ do: "stop-waiting" });
  });
});

test("a server that does not wait although the record says so waits again at once", () => {
  for (const standby of [wellStandby, gone])
    expect(rule(primary({ replication: { synchronousNames: "", standby } }))).toBe("sync.repair");
});

test("over all combinations: waiting ends only under a degraded entry, and synced is only said of a proven standby", () => {
  const hit = new Set<string>();
  const beliefs = [
    { state: "none" },
    { state: "unreadable", reason: "EIO" },
    ...["node1", "node2"].flatMap((primary) =>
      [sampleEntry({ primary }), { ...degraded, primary }, sampleEntry({ primary, kind: "intent" })].map(good),
    ),
  ] as Belief[];
  let count = 0;
  for (const belief of beliefs)
    for (const peerEpoch of [undefined, 4, 5, 6])
      for (const [isolatedMs, overtakenMs] of [
        [0, 0],
        [0, 30_000],
        [30_000, 0],
      ] as const)
        for (const writable of [true, false])
          for (const strict of [true, false])
            for (const synchronousNames of ["", '"node2"', '"other"'])
              for (const standby of [wellStandby, gone, { ...wellStandby, synchronous: false }])
                for (const provenFrom of [undefined, 100n, 101n]) {
                  count++;
                  const newest = belief.state === "good" ? belief.newest : undefined;
                  const facts = primary({
                    belief,
                    newest,
                    peer: peerEpoch
                      ? { state: "answers", known: sampleEntry({ epoch: peerEpoch }) }
                      : { state: "silent" },
                    isolatedMs,
                    overtakenMs,
                    writable,
                    strict,
                    replication: { synchronousNames, standby, provenFrom },
                  });
                  const decision = decideRunning(facts);
                  if (!decision) continue;
                  hit.add(decision.rule);
                  const { action } = decision;
                  const mine = newest?.primary === "node1" && newest.kind !== "intent" && peerEpoch !== 6;
                  const says = JSON.stringify({ ...facts, replication: undefined });
                  if (action.do === "stop-waiting") expect(mine && newest.sync.length === 0, says).toBe(true);
                  if (action.do === "claim") expect(mine && writable, says).toBe(true);
                  if (action.do === "claim" && action.kind === "synced")
                    expect(provenFrom === 100n && standby === wellStandby, says).toBe(true);
                }
  expect(count).toBeGreaterThan(5_000);
  expect(runningRules.map(({ id }) => id).filter((id) => !hit.has(id))).toEqual([]);
});
