// The child process that touches the record's storage: requests as JSON lines on stdin, answers on stdout. It may hang;
// whoever started it does not.
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { RecordAccess } from "../../components/model/record.ts";
import type { RecordRequest } from "./client.ts";
import { DirectoryStore } from "./directory-store.ts";
import { ObjectStore } from "./object-store.ts";
import { ossBucket } from "./oss-bucket.ts";
import { s3Bucket } from "./s3-bucket.ts";
import { claim, history, provesExclusive, type RecordStore, readRecord, restore } from "./store.ts";

/** The first line says where the record lies. Answers until stdin ends, one request after the other. */
export async function serveRecord(): Promise<void> {
  let place: RecordAccess | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    if (!place) {
      place = JSON.parse(line) as RecordAccess;
      continue;
    }
    const { id, ...request } = JSON.parse(line) as { id: number } & RecordRequest;
    const answer = await perform(place, request).then(
      (result) => ({ id, result }),
      (error: Error) => ({ id, error: error.message }),
    );
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

/** The highest number read: what lies below it is not listed again. */
let highest = 0;

async function perform(place: RecordAccess, request: RecordRequest): Promise<unknown> {
  switch (request.do) {
    case "read": {
      const reading = await readRecord(openStore(place), highest);
      if (reading.state === "read") highest = reading.newest.epoch;
      return reading;
    }
    case "history":
      return history(openStore(place), request.last);
    case "claim":
      return claim(openStore(place), request.previous, request.entry, request.by);
    case "race":
      return race(openStore(place, request.trial), request);
    case "prove":
      return provesExclusive(openStore(place, request.trial));
    case "restore":
      return restore(openStore(place), request.entries);
    case "seal":
      return openStore(place).seal(request.moved);
    case "forget":
      return forget(place, request.trial);
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

/** Trials happen on the same storage, next to the record and never in it. */
const beside = (record: string, trial?: string) => (trial ? `${record}.${trial}` : record);

function openStore(place: RecordAccess, trial?: string): RecordStore {
  return place.kind === "directory" ? new DirectoryStore(beside(place.path, trial)) : objectStore(place, trial);
}

function objectStore(place: Exclude<RecordAccess, { kind: "directory" }>, trial?: string): ObjectStore {
  return new ObjectStore(place.kind === "s3" ? s3Bucket(place) : ossBucket(place), beside(place.prefix, trial));
}

async function forget(place: RecordAccess, trial: string): Promise<void> {
  if (place.kind === "directory") await rm(beside(place.path, trial), { recursive: true, force: true });
  else await objectStore(place, trial).clear();
}
