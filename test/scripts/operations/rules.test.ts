import { describe, expect, test } from "vitest";
import type { Operation } from "../../../components/model/operation.ts";
import type { RecordEntry } from "../../../components/model/record.ts";
import type { JournalEntry } from "../../../scripts/cluster/journal.ts";
import { combinations } from "../../../scripts/docs/combinations.ts";
import { operationDomains, operationSituation } from "../../../scripts/docs/operation-situations.ts";
import { judgeOperation, operationActs, operationRules } from "../../../scripts/operations/rules.ts";
import { sampleEntry } from "../../support/sample.ts";

const wish: Operation = { verb: "switchover", to: "node2", atEpoch: 2, attempt: 1 };
const first = sampleEntry({ epoch: 2, kind: "done", sync: [] });
const synced = sampleEntry({ epoch: 3 });
const moved = [sampleEntry({ epoch: 5, kind: "done", primary: "node2" }), sampleEntry({ epoch: 4, kind: "intent" })];
const tried = (state: JournalEntry["state"], changes: Partial<Operation> = {}): JournalEntry => ({
  at: "2026-11-21T00:00:00Z",
  by: "somebody",
  verb: wish.verb,
  state,
  sentence: "the network was cut",
  operation: { ...wish, ...changes },
});
const judge = (entries: RecordEntry[] | undefined, journal: JournalEntry[] = [], changes: Partial<Operation> = {}) =>
  judgeOperation({ ...wish, ...changes }, entries, journal);

describe("an operation of the stack file", () => {
  test("acts on the primary it was written for, whatever became of replication since", () => {
    const kinds = ["synced", "degraded", "aborted", "intent"] as const;
    for (const kind of kinds) expect(judge([sampleEntry({ epoch: 3, kind }), first])).toMatchObject({ kind: "act" });
  });

  test("tells whether nobody has ever moved the primary", () => {
    expect(judge([synced, first])).toMatchObject({ kind: "act", firstPrimary: true });
    expect(judge([...moved, synced, first], [], { atEpoch: 5 })).toMatchObject({ kind: "act", firstPrimary: false });
  });

  test("never acts on a new stack, nor at the second look at one", () => {
    expect(judge(undefined)).toMatchObject({ kind: "nothing", newStack: true });
    expect(judge([])).toMatchObject({ kind: "nothing", newStack: true });
    expect(judge([first], [tried("skipped")])).toMatchObject({
      kind: "nothing",
      sentence: expect.stringMatching(/attempt: 2/),
    });
  });

  test("does nothing once it is done, by itself or by somebody else, or was overtaken", () => {
    expect(judge([...moved, synced, first])).toMatchObject({
      sentence: expect.stringMatching(/already done; entry 5/),
    });
    expect(judge([...moved, synced, first], [], { to: "node1" })).toMatchObject({
      sentence: expect.stringMatching(/overtaken by entry 5/),
    });
    const back = sampleEntry({ epoch: 8, kind: "done" });
    const again = sampleEntry({ epoch: 9, kind: "restored", primary: "node2" });
    for (const entries of [
      [back, ...moved, first],
      [again, back, ...moved, first],
    ])
      expect(judge(entries)).toMatchObject({ kind: "nothing", sentence: expect.stringMatching(/overtaken/) });
    expect(judge([first], [tried("done"), tried("began")])).toMatchObject({
      sentence: expect.stringMatching(/already done at/),
    });
  });

  test("refuses an entry that did not make today's primary the primary", () => {
    expect(judge([synced, first], [], { atEpoch: 3 })).toMatchObject({
      rule: "operation.no-such-entry",
      exitCode: 2,
      remedy: expect.stringMatching(/atEpoch: 2/),
    });
  });

  test("is not repeated after a failure or an end in the middle; another attempt is", () => {
    expect(judge([first], [tried("failed"), tried("began")])).toMatchObject({
      rule: "operation.attempted",
      sentence: expect.stringMatching(/failed \(the network was cut\)/),
      remedy: expect.stringMatching(/attempt: 2/),
    });
    expect(judge([first], [tried("began")])).toMatchObject({
      rule: "operation.attempted",
      sentence: expect.stringMatching(/cut off/),
    });
    expect(judge([first], [tried("failed")], { attempt: 2 })).toMatchObject({ kind: "act" });
    expect(judge([first], [tried("failed", { atEpoch: 1 }), tried("failed", { verb: "failover" })])).toMatchObject({
      kind: "act",
    });
  });
});

test("over all combinations exactly one row answers, every row is met, and only a first attempt on the meant primary acts", () => {
  const hit = new Set<string>();
  for (const choice of combinations(operationDomains)) {
    const { wish, entries, journal } = operationSituation(choice);
    const verdict = judgeOperation(wish, entries, journal);
    hit.add(verdict.rule);
    const setter = entries?.find(({ kind }) => kind === "done" || kind === "restored");
    expect(verdict.kind === "act", JSON.stringify(choice)).toBe(setter?.epoch === wish.atEpoch && journal.length === 0);
  }
  expect([...hit].sort()).toEqual([...operationRules.map(({ id }) => id), operationActs.id].sort());
});
