import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Claim } from "../../../components/model/record.ts";
import { DirectoryStore } from "../../../scripts/record/directory-store.ts";
import {
  claim,
  history,
  provesExclusive,
  type RecordStore,
  readRecord,
  restore,
} from "../../../scripts/record/store.ts";

const claimOf = (token: string, changes: Partial<Claim> = {}): Claim => ({
  kind: "done",
  primary: "node1",
  sync: [],
  systemIdentifier: "7",
  timeline: 1,
  token: `token-of-${token}-padded`,
  ...changes,
});

let share: string;
beforeEach(() => {
  share = mkdtempSync(join(tmpdir(), "record-"));
});
afterEach(() => rmSync(share, { recursive: true, force: true }));
const store = () => new DirectoryStore(join(share, "record"));

describe("a record in a directory", () => {
  test("begins empty, takes one entry after the other, and reads as its newest one", async () => {
    expect(await readRecord(store())).toEqual({ state: "empty" });
    for (let epoch = 1; epoch <= 12; epoch++) {
      const { won, newest } = await claim(store(), epoch - 1, claimOf(`entry ${epoch}`), "the test");
      expect({ won, epoch: newest.epoch }).toEqual({ won: true, epoch });
    }
    expect(await readRecord(store())).toMatchObject({ state: "read", newest: { epoch: 12, by: "the test" } });
    // Nothing half-made is left.
    expect(readdirSync(join(share, "record"))).toHaveLength(12);
  });

  test("that is not there with its share is unreadable, not empty", async () => {
    rmSync(share, { recursive: true });
    expect(await readRecord(store())).toMatchObject({ state: "unreadable", reason: expect.stringContaining("ENOENT") });
    await expect(claim(store(), 0, claimOf("nobody"), "the test")).rejects.toThrow("ENOENT");
  });

  test("of two claims on the same number one wins, and the other one reads it", async () => {
    for (let previous = 0; previous < 50; previous++) {
      const claims = ["one", "two", "three"].map((who) => claim(store(), previous, claimOf(who), who));
      const results = await Promise.all(claims);
      expect(results.filter(({ won }) => won)).toHaveLength(1);
      expect(new Set(results.map(({ newest }) => newest.token)).size).toBe(1);
    }
  });

  test("a claim on a number that was overtaken loses to the newest entry", async () => {
    await claim(store(), 0, claimOf("first"), "one");
    await claim(store(), 1, claimOf("second"), "one");
    const late = await claim(store(), 0, claimOf("late"), "two");
    expect(late).toMatchObject({ won: false, newest: { epoch: 2 } });
  });

  test("a claim whose answer was lost has won when it is made again", async () => {
    await claim(store(), 0, claimOf("first"), "one");
    expect(await claim(store(), 0, claimOf("first"), "one")).toMatchObject({ won: true, newest: { epoch: 1 } });
    // The entry that ends an intent carries its token too: it is not that claim.
    const done = claimOf("first", { kind: "degraded" });
    expect(await claim(store(), 0, done, "one")).toMatchObject({ won: false });
  });

  test.each([
    ["cut off", '{"epoch": 1, "kind": "do'],
    ["of another number", JSON.stringify({ epoch: 2, ...claimOf("x"), by: "x", at: "x" })],
    ["with an unknown kind", JSON.stringify({ epoch: 1, ...claimOf("x"), kind: "maybe", by: "x", at: "x" })],
    ["empty", ""],
  ])("an entry that is %s makes it unreadable", async (_, text) => {
    await mkdir(join(share, "record"));
    writeFileSync(join(share, "record", "0000000001.json"), text);
    expect(await readRecord(store())).toEqual({ state: "unreadable", reason: "entry 1 of the record is damaged" });
  });

  test("what a killed writer left is no entry", async () => {
    await mkdir(join(share, "record"));
    writeFileSync(join(share, "record", ".4f0c7f7e-half"), "{");
    expect(await readRecord(store())).toEqual({ state: "empty" });
  });

  test("proves that it is exclusive", async () => {
    expect(await provesExclusive(store())).toBe(true);
  });
});

describe("storage that ignores the condition is found out", () => {
  /** Overwrites, as an object store without conditional writes does. */
  class Overwriting implements RecordStore {
    private readonly texts = new Map<number, string>();
    numbers = async (after: number) => [...this.texts.keys()].filter((number) => number > after);
    read = async (number: number) => this.texts.get(number) ?? "";
    seal = async () => {};
    async create(number: number, text: string): Promise<"created" | "exists"> {
      this.texts.set(number, text);
      return "created";
    }
  }

  test("by the proof", async () => {
    expect(await provesExclusive(new Overwriting())).toBe(false);
  });

  test("also when it says `exists` and overwrites all the same", async () => {
    const store = new Overwriting();
    const create = store.create.bind(store);
    store.create = async (number, text) => {
      const there = (await store.read(number)) !== "";
      await create(number, text);
      return there ? "exists" : "created";
    };
    expect(await provesExclusive(store)).toBe(false);
  });
});

test("a place that the record was moved away from is not believed, until it is moved back", async () => {
  await claim(store(), 0, claimOf("first"), "one");
  const { entries } = await history(store(), 10);
  await store().seal(true);
  expect(await readRecord(store())).toEqual({ state: "unreadable", reason: expect.stringContaining("was moved") });
  await expect(claim(store(), 1, claimOf("late"), "one")).rejects.toThrow("was moved");
  await restore(store(), entries);
  expect(await readRecord(store())).toMatchObject({ state: "read", newest: { epoch: 1 } });
});
