import { type Claim, type Reading, type RecordEntry, recordEntry } from "../../components/model/record.ts";

/**
 * Storage that can create a numbered object exclusively: the one thing the record rests on. Errors of the storage are
 * thrown; what they mean for the record is decided here.
 */
export interface RecordStore {
  /** Numbers that exist above `after`, in any order. @throws if the record was moved away from here. */
  numbers(after: number): Promise<number[]>;
  /** Marks that the record has moved away, or that it is here again. */
  seal(moved: boolean): Promise<void>;
  read(number: number): Promise<string>;
  /** Creates the object whole and durable, or says that there is one. */
  create(number: number, text: string): Promise<"created" | "exists">;
}

/**
 * The newest entry. An empty record and one that cannot be read are different answers. `known` was the highest number a
 * moment ago: only if it is gone is everything listed.
 */
export async function readRecord(store: RecordStore, known = 0): Promise<Reading> {
  try {
    let numbers = known > 1 ? await store.numbers(known - 1) : [];
    if (numbers.length === 0) numbers = await store.numbers(0);
    if (numbers.length === 0) return { state: "empty" };
    return { state: "read", newest: await readEntry(store, Math.max(...numbers)) };
  } catch (error) {
    return { state: "unreadable", reason: (error as Error).message };
  }
}

/** What is there, damaged or not: the highest number, and the newest entries that can be read, newest first. */
export async function history(store: RecordStore, last: number): Promise<{ highest: number; entries: RecordEntry[] }> {
  const numbers = (await store.numbers(0)).sort((a, b) => b - a);
  const entries: RecordEntry[] = [];
  for (const number of numbers.slice(0, last)) {
    const entry = await readEntry(store, number).catch(() => undefined);
    if (entry) entries.push(entry);
  }
  return { highest: numbers[0] ?? 0, entries };
}

/**
 * Claims the number after `previous` (0: the first). Exactly one claimant of a number wins; the others get the winner.
 * A claim whose answer was lost is recognised by its token.
 */
export async function claim(
  store: RecordStore,
  previous: number,
  entry: Claim,
  by: string,
): Promise<{ won: boolean; newest: RecordEntry }> {
  const epoch = previous + 1;
  const newer = await store.numbers(previous);
  if (newer.length === 0) {
    const text = { epoch, ...entry, by, at: new Date().toISOString() } satisfies RecordEntry;
    await store.create(epoch, `${JSON.stringify(recordEntry.parse(text), null, 2)}\n`);
  }
  const newest = await readEntry(store, Math.max(epoch, ...newer));
  return { won: newest.epoch === epoch && newest.token === entry.token && newest.kind === entry.kind, newest };
}

/** What a place says from which the record was moved: whoever still reads it there must not believe it. */
export const movedAway = "the record was moved to another place: run pulumi up";

/** Name of the mark; it sorts behind every number. */
export const movedMark = "moved";

/** Writes entries under their own numbers, oldest first, as they are. @throws if another entry has one of the numbers. */
export async function restore(store: RecordStore, entries: RecordEntry[]): Promise<void> {
  await store.seal(false);
  for (const entry of [...entries].sort((a, b) => a.epoch - b.epoch)) {
    await store.create(entry.epoch, `${JSON.stringify(entry, null, 2)}\n`);
    const there = await readEntry(store, entry.epoch);
    if (there.token !== entry.token || there.kind !== entry.kind)
      throw new Error(`there is another entry ${entry.epoch} already: it is the place of another record`);
  }
}

/** Whether the storage refuses a second creation, and gives back what was written. */
export async function provesExclusive(store: RecordStore): Promise<boolean> {
  const [first] = [await store.create(1, "first\n")];
  const second = await store.create(1, "second\n");
  return first === "created" && second === "exists" && (await store.read(1)) === "first\n";
}

async function readEntry(store: RecordStore, number: number): Promise<RecordEntry> {
  const parsed = recordEntry.safeParse(parseJson(await store.read(number)));
  if (!parsed.success || parsed.data.epoch !== number) throw new Error(`entry ${number} of the record is damaged`);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
