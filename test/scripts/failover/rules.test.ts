import { describe, expect, test } from "vitest";
import type { NodeObservation, Observation } from "../../../scripts/cluster/observe.ts";
import { decideMove, type MoveFacts, moveRules } from "../../../scripts/failover/rules.ts";
import { entry, first, healthy, inventory, Pair, second } from "../roll/pair.ts";

const observed = () => new Pair(healthy(first), healthy(second)).observe();
const synced = entry(first);
const degraded = entry(first, { epoch: 6, kind: "degraded", sync: [] });
const intent = entry(second, { epoch: 6, kind: "intent", sync: [], timeline: undefined });

function facts(changes: Partial<MoveFacts> = {}): MoveFacts {
  return { verb: "switchover", inventory, observation: observed(), entries: [synced], acceptLoss: false, ...changes };
}
const away = (name: string): Observation => ({
  ...observed(),
  [name]: { name, reach: "unreachable", reason: "timeout" },
});
function changed(name: "node1" | "node2", change: (node: Required<NodeObservation>) => void): Observation {
  const observation = observed();
  change(observation[name] as Required<NodeObservation>);
  return observation;
}
const lostPrimary = () =>
  changed(first, ({ host }) => {
    host.postgres.role = "down";
  });

describe("a move that may be made", () => {
  test("planned: the standby in sync takes over", () => {
    const decision = decideMove(facts());
    expect(decision).toMatchObject({ kind: "move", rule: "move.planned", from: first, to: second, goBack: false });
  });

  test("unplanned: the primary's node is lost, and the record says that the standby holds everything", () => {
    const decision = decideMove(facts({ verb: "failover", observation: away(first) }));
    expect(decision).toMatchObject({ kind: "move", from: first, to: second });
    expect(decision.sentence).toContain("Nothing that was acknowledged is lost");
  });

  test("unplanned: the primary's node lives, but its PostgreSQL does not", () => {
    expect(decideMove(facts({ verb: "failover", observation: lostPrimary() }))).toMatchObject({ kind: "move" });
  });

  test("with a loss that was accepted, which the sentence names", () => {
    const decision = decideMove(
      facts({ verb: "failover", observation: away(first), entries: [degraded, synced], acceptLoss: true }),
    );
    expect(decision).toMatchObject({ kind: "move", to: second });
    expect(decision.sentence).toContain("is LOST");
  });

  test("an open intent goes on to the node it names", () => {
    for (const verb of ["switchover", "failover"] as const)
      expect(decideMove(facts({ verb, observation: lostPrimary(), entries: [intent, synced] }))).toMatchObject({
        kind: "move",
        to: second,
        newest: intent,
        goBack: false,
      });
  });

  test("or back to where it began, as long as the other node is seen to be a standby", () => {
    expect(
      decideMove(facts({ verb: "failover", to: first, observation: lostPrimary(), entries: [intent, synced] })),
    ).toMatchObject({
      kind: "move",
      to: first,
      from: second,
      goBack: true,
    });
  });
});

const refused: [id: string, changes: Partial<MoveFacts>][] = [
  ["move.unknown-node", { to: "node3" }],
  ["move.absent", { to: second, inventory: { ...inventory, absent: [second] } }],
  ["move.record-unreadable", { entries: undefined }],
  [
    "move.record-unreadable",
    {
      observation: changed(second, ({ host }) => {
        host.record.belief = { state: "unreadable", reason: "it went back" };
      }),
    },
  ],
  ["move.already-there", { to: first }],
  ["move.target-unreachable", { observation: away(second) }],
  [
    "move.other-database",
    {
      observation: changed(second, ({ host }) => {
        host.postgres.systemIdentifier = "42";
      }),
    },
  ],
  [
    "move.back-too-late",
    {
      verb: "failover",
      to: first,
      entries: [intent, synced],
      observation: changed(second, ({ host }) => {
        host.postgres.role = "primary";
      }),
    },
  ],
  ["move.back-too-late", { verb: "failover", to: first, entries: [intent, synced], observation: away(second) }],
  [
    "switchover.maintenance",
    {
      observation: changed(second, ({ host }) => {
        host.maintenance = true;
      }),
    },
  ],
  ["switchover.old-primary-away", { observation: away(first) }],
  ["switchover.old-primary-away", { observation: lostPrimary() }],
  ["switchover.not-streaming", { entries: [degraded, synced] }],
  [
    "switchover.not-streaming",
    {
      observation: changed(first, ({ postgres }) => {
        postgres.standbys = [];
      }),
    },
  ],
  ["failover.primary-serves", { verb: "failover" }],
  [
    "failover.no-standby",
    {
      verb: "failover",
      observation: {
        ...away(first),
        [second]: changed(second, ({ host }) => {
          host.postgres.standbySignal = false;
        })[second] as NodeObservation,
      },
    },
  ],
  ["failover.may-lose", { verb: "failover", observation: away(first), entries: [degraded, synced] }],
];

describe("a move that is refused", () => {
  test.each(refused)("%s, with what to do", (rule, changes) => {
    expect(decideMove(facts(changes))).toMatchObject({
      kind: "refusal",
      rule,
      sentence: expect.stringMatching(/\.$/),
      remedy: expect.stringMatching(/[a-z]/),
    });
  });

  test("every rule has a case", () => {
    expect(moveRules.map(({ id }) => id).filter((id) => !refused.some(([refused]) => refused === id))).toEqual([]);
  });
});
