import { describe, expect, test } from "vitest";
import type { RecordEntry } from "../../../components/model/record.ts";
import { type Condition, conditions, notices, type Watched } from "../../../scripts/agent/notices.ts";

const entry = (changes: Partial<RecordEntry> = {}): RecordEntry => ({
  epoch: 5,
  kind: "synced",
  primary: "node1",
  sync: ["node2"],
  by: "the agent",
  at: "2026-11-21T00:00:00Z",
  token: "token-of-the-entry",
  ...changes,
});
const ids = (changes: Partial<Watched>) =>
  conditions({ self: "node1", newest: entry(), disks: {}, ...changes }).map(({ id, severity }) => `${id} ${severity}`);

describe("people are told", () => {
  test("nothing about a well node", () => {
    expect(ids({ disks: { "/": 0.79 }, certificateDaysLeft: 30 })).toEqual([]);
  });

  test.each<[Partial<Watched>, string[]]>([
    [{ noPrimaryMs: 9_999 }, []],
    [{ noPrimaryMs: 10_000 }, ["no-primary critical"]],
    [{ recordUnreadable: { forMs: 9_999, reason: "EIO" } }, []],
    [{ recordUnreadable: { forMs: 10_000, reason: "EIO" } }, ["record-unreadable critical"]],
    [{ newest: entry({ kind: "degraded", sync: [] }) }, ["degraded warning"]],
    // The other node's agent tells of its own; a pair that was never in sync is being built.
    [{ newest: entry({ kind: "degraded", sync: [], primary: "node2" }) }, []],
    [{ newest: entry({ epoch: 2, kind: "done", sync: [] }) }, []],
    [{ disks: { "/": 0.8, "/data": 0.9 } }, ["disk / warning", "disk /data critical"]],
    [{ certificateDaysLeft: 29.9 }, ["certificate warning"]],
    [{ certificateDaysLeft: 6.9 }, ["certificate critical"]],
    [{ certificateDaysLeft: -1 }, ["certificate critical"]],
  ])("of %j: %j", (changes, told) => {
    expect(ids(changes)).toEqual(told);
  });
});

describe("a condition is told", () => {
  const disk = (severity: Condition["severity"]): Condition => ({ id: "disk /", severity, sentence: "/ is full" });
  const told = (...conditions: Condition[]) => new Map(conditions.map((condition) => [condition.id, condition]));

  test("once when it begins, again when it gets worse, and when it is over", () => {
    expect(notices(told(), [disk("warning")])).toMatchObject([{ id: "disk /", state: "raised", severity: "warning" }]);
    expect(notices(told(disk("warning")), [disk("warning")])).toEqual([]);
    expect(notices(told(disk("warning")), [disk("critical")])).toMatchObject([
      { state: "raised", severity: "critical" },
    ]);
    expect(notices(told(disk("critical")), [])).toEqual([
      { id: "disk /", state: "cleared", severity: "info", sentence: "over: / is full" },
    ]);
  });
});
