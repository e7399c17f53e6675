// The child process that touches the record's storage: requests as JSON lines on stdin, answers on stdout. It may hang;
// whoever started it does not.
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { RecordPlace } from "../../components/model/record.ts";
import type { RecordRequest } from "./client.ts";
import { DirectoryStore } from "./directory-store.ts";
import { claim, history, provesExclusive, type RecordStore, readRecord } from "./store.ts";

/** Answers until stdin ends, one request after the other. */
export async function serveRecord(place: RecordPlace): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, ...request } = JSON.parse(line) as { id: number } & RecordRequest;
    const answer = await perform(place, request).then(
      (result) => ({ id, result }),
      (error: Error) => ({ id, error: error.message }),
    );
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

async function perform(place: RecordPlace, request: RecordRequest): Promise<unknown> {
  switch (request.do) {
    case "read":
      return readRecord(openStore(place));
    case "history":
      return history(openStore(place), request.last);
    case "claim":
      return claim(openStore(place), request.previous, request.entry, request.by);
    case "race":
      return race(openStore(place, request.trial), request);
    case "prove":
      return provesExclusive(openStore(place, request.trial));
    case "forget":
      return rm(beside(place, request.trial), { recursive: true, force: true });
    default:
      throw new Error(`unknown request ${JSON.stringify(request satisfies never)}`);
  }
}

/** Tries to create every number; what each one holds in the end tells who won it. */
async function race(
  store: RecordStore,
  { from, to, text }: { from: number; to: number; text: string },
): Promise<{ created: number[]; holds: Record<number, string> }> {
  const created: number[] = [];
  const holds: Record<number, string> = {};
  for (let number = from; number <= to; number++) {
    if ((await store.create(number, text)) === "created") created.push(number);
    holds[number] = await store.read(number);
  }
  return { created, holds };
}

function openStore(place: RecordPlace, trial?: string): RecordStore {
  return new DirectoryStore(trial ? beside(place, trial) : place.path);
}

/** Trials happen on the same storage, next to the record and never in it. */
const beside = (place: RecordPlace, trial: string) => `${place.path}.${trial}`;
