import { expect, test } from "vitest";
import type { RecordEntry } from "../../../components/model/record.ts";
import { believe } from "../../../scripts/record/belief.ts";

const entry = (epoch: number, changes: Partial<RecordEntry> = {}): RecordEntry => ({
  epoch,
  kind: "done",
  primary: "node1",
  sync: [],
  systemIdentifier: "7",
  timeline: 1,
  by: "somebody",
  at: "2026-11-21T00:00:00Z",
  token: `token-of-entry-${epoch}`,
  ...changes,
});
const read = (newest: RecordEntry) => ({ state: "read", newest }) as const;

test("a record that goes on from what is known is good; so is any for a node that knows none", () => {
  for (const known of [undefined, entry(3), entry(4)])
    expect(believe(read(entry(4)), known)).toEqual({ state: "good", newest: entry(4) });
  const first = entry(1, { kind: "intent", systemIdentifier: undefined, timeline: undefined });
  expect(believe(read(entry(2)), first)).toMatchObject({ state: "good" });
});

test("no record is none only where nothing was known of one", () => {
  expect(believe({ state: "empty" }, undefined)).toEqual({ state: "none" });
  expect(believe({ state: "empty" }, entry(2))).toMatchObject({ state: "unreadable" });
});

test.each([
  ["went back", entry(3), entry(4), "it went back"],
  ["has another entry of the same number", entry(4, { token: "token-of-another" }), entry(4), "it is another record"],
  ["turned an intent into a decision", entry(4), entry(4, { kind: "intent" }), "it is another record"],
  ["is another database's", entry(9, { systemIdentifier: "8" }), entry(4), "another database"],
  ["names no database any more", entry(9, { systemIdentifier: undefined }), entry(4), "another database"],
])("a record that %s is not believed", (_, newest, known, reason) => {
  expect(believe(read(newest), known)).toEqual({ state: "unreadable", reason: expect.stringContaining(reason) });
});

test("what cannot be read stays unreadable, with its reason", () => {
  const reading = { state: "unreadable", reason: "EIO" } as const;
  expect(believe(reading, entry(4))).toEqual(reading);
});
