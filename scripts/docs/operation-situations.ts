import type { Operation } from "../../components/model/operation.ts";
import type { RecordEntry } from "../../components/model/record.ts";
import type { JournalEntry } from "../cluster/journal.ts";
import type { Choice } from "./combinations.ts";

// What a block `operations` of the stack file may meet, for the documentation's examples and for the test that walks them all.

const entry = (epoch: number, kind: RecordEntry["kind"], primary: string): RecordEntry => ({
  epoch,
  kind,
  primary,
  sync: [],
  systemIdentifier: "7",
  timeline: 1,
  by: "ops@desk",
  at: "2026-01-31T10:00:00Z",
  token: "token-of-the-example",
});
const first = entry(2, "done", "node1");
const synced = entry(3, "synced", "node1");
const moved = entry(5, "done", "node2");
const back = entry(7, "done", "node1");
const intent = entry(8, "intent", "node2");

export const operationDomains: {
  entries: (RecordEntry[] | undefined)[];
  atEpoch: number[];
  to: (string | undefined)[];
  tried: (JournalEntry["state"] | undefined)[];
} = {
  entries: [[synced, first], [moved, synced, first], [back, moved, first], [intent, back, moved, first], [], undefined],
  atEpoch: [2, 3, 5, 7],
  to: ["node2", "node1", undefined],
  tried: [undefined, "began", "done", "failed", "skipped"],
};

export function operationSituation({ entries, atEpoch, to, tried }: Choice<typeof operationDomains>) {
  const wish: Operation = { verb: to ? "switchover" : "rejoin", to, atEpoch, attempt: 1 };
  const attempt: JournalEntry | undefined = tried && {
    at: "2026-01-31T11:00:00Z",
    by: "ops@desk",
    verb: wish.verb,
    state: tried,
    sentence: "the network was cut",
    operation: wish,
  };
  return { wish, entries, journal: attempt ? [attempt] : [] };
}
