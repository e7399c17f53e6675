import { z } from "zod";

/** A PostgreSQL position, as the server prints it. */
const lsn = z.string().regex(/^[0-9A-F]+\/[0-9A-F]+$/);

/**
 * One entry of the cluster record: numbered, created exclusively on the shared storage, never changed. It says which node
 * may write, and which standby holds everything that was acknowledged.
 */
export const recordEntry = z.strictObject({
  epoch: z.int().positive(),
  kind: z.enum(["intent", "done", "degraded", "synced", "restored", "aborted"]),
  /** The node that may write; in an intent the one that is to be. */
  primary: z.string(),
  /** Standbys without which no commit is acknowledged; the only ones that may be promoted without loss. */
  sync: z.array(z.string()),
  /** PostgreSQL's timeline; absent before there is a database. */
  timeline: z.int().positive().optional(),
  /** Where the timeline began, after a move. */
  switchLsn: lsn.optional(),
  /** PostgreSQL's own identity of the database; absent before there is one. */
  systemIdentifier: z.string().regex(/^\d+$/).optional(),
  /** Who wrote it: host, program, for people. */
  by: z.string(),
  /** When, by the clock of the writer, for people. */
  at: z.string(),
  /** Ties an intent to the entry that may follow it, and a claim to its claimant. */
  token: z.string().min(16),
});
export type RecordEntry = z.infer<typeof recordEntry>;

/** What a claim says; number, time and author are added by whoever claims. */
export type Claim = Omit<RecordEntry, "epoch" | "by" | "at">;

/** Whether nothing is under way: every kind but an intent. */
export const settled = (entry: RecordEntry): boolean => entry.kind !== "intent";

/** Where the record lies: a directory of the shared storage, or objects of a bucket of its own, S3-compatible or OSS. */
export const recordPlace = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("directory"), path: z.string() }),
  z.object({
    kind: z.literal("s3"),
    endpoint: z.string(),
    region: z.string(),
    bucket: z.string(),
    prefix: z.string(),
  }),
  z.object({
    kind: z.literal("oss"),
    /** The bucket's own address, e.g. https://records.oss-cn-hangzhou-internal.aliyuncs.com. */
    address: z.string(),
    region: z.string(),
    bucket: z.string(),
    prefix: z.string(),
    /** RAM role of the nodes, which opens it: no key lies there. */
    role: z.string(),
  }),
]);
export type RecordPlace = z.infer<typeof recordPlace>;

/** What opens an S3 place. */
export const recordKeys = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() });
export type RecordKeys = z.infer<typeof recordKeys>;

/** How the configuration says where the record lies. */
export interface RecordOptions {
  s3: { endpoint: string; region: string; bucket: string; prefix: string } & RecordKeys;
}

/** Where the record of a stack lies: in a bucket, or in a directory of the shared storage mounted at `share`. */
export function recordPlaceOf({ record }: { record?: RecordOptions }, share: string): RecordPlace {
  if (!record) return { kind: "directory", path: `${share}/.harbor-ha/record` };
  const { endpoint, region, bucket, prefix } = record.s3;
  return { kind: "s3", endpoint, region, bucket, prefix };
}

/** A place with what opens it. */
export type RecordAccess = Exclude<RecordPlace, { kind: "s3" }> | (Extract<RecordPlace, { kind: "s3" }> & RecordKeys);

/** What reading the record gave: its newest entry, none at all, or nothing, for a reason. */
export type Reading =
  | { state: "read"; newest: RecordEntry }
  | { state: "empty" }
  | { state: "unreadable"; reason: string };

/** What a node makes of a reading, given the newest entry it has seen before. */
export type Belief =
  | { state: "good"; newest: RecordEntry }
  /** No record yet, and nothing that says there ever was one. */
  | { state: "none" }
  | { state: "unreadable"; reason: string };

/** Whether a server may start on a node, by the boot table. */
export type BootDecision =
  | { start: "primary" | "standby"; rule: string }
  | { start: "no"; rule: string; sentence: string; remedy: string };
