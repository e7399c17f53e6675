import type { Belief, RecordEntry } from "../../components/model/record.ts";
import type { BootFacts, DataOnDisk, PeerAnswer } from "../agent/boot.ts";
import type { Choice } from "./combinations.ts";

// What a node may find when it starts, for the documentation's examples: node1, whose data are a primary's, finds the record.

const newest: RecordEntry = {
  epoch: 5,
  kind: "synced",
  primary: "node1",
  sync: ["node2"],
  systemIdentifier: "7",
  timeline: 2,
  by: "ops@desk",
  at: "2026-01-31T10:00:00Z",
  token: "token-of-the-example",
};
const good = (changes: Partial<RecordEntry> = {}): Belief => ({ state: "good", newest: { ...newest, ...changes } });
const data: DataOnDisk = { state: "present", standbySignal: false, systemIdentifier: "7", timeline: 2 };

export const bootDomains: {
  belief: Belief[];
  data: DataOnDisk[];
  peer: PeerAnswer[];
} = {
  belief: [
    good(),
    good({ primary: "node2" }),
    good({ kind: "intent" }),
    { state: "unreadable", reason: "EIO" },
    { state: "none" },
  ],
  data: [
    data,
    { ...data, standbySignal: true },
    { ...data, timeline: 1 },
    { ...data, systemIdentifier: "8" },
    { state: "empty", standbySignal: false },
    { state: "unknown", standbySignal: false },
  ],
  peer: [
    { state: "answers", known: newest },
    { state: "answers", known: { ...newest, epoch: 6 } },
    { state: "silent" },
  ],
};

export const bootSituation = (choice: Choice<typeof bootDomains>): BootFacts => ({ self: "node1", ...choice });
