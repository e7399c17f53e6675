import type { Operation } from "../../components/model/operation.ts";
import type { RecordEntry } from "../../components/model/record.ts";
import type { JournalEntry } from "../cluster/journal.ts";
import { type Refusal, refuse } from "../refusal.ts";

/** What becomes of an operation that a stack asks for, and the id of the row that says so. */
export type Verdict =
  /** `firstPrimary`: nobody but the pair's making has set it. */
  | { kind: "act"; rule: string; firstPrimary: boolean }
  | { kind: "nothing"; rule: string; sentence: string; newStack?: boolean }
  | Refusal;

interface OperationFacts extends Operation {
  /** Entries that made a node the primary, newest first. */
  setters: RecordEntry[];
  /** What became of the same attempt, if it was made. */
  last?: JournalEntry;
}

interface OperationRule {
  id: string;
  /** The condition, for people. */
  when: string;
  /** With a remedy it is refused; without one nothing has to be done. */
  decide: (facts: OperationFacts) => { sentence: string; remedy?: string } | undefined;
}

const newStack = "operation.new-stack";

/** Why an operation of the stack file is not carried out; first match wins. */
export const operationRules: OperationRule[] = [
  {
    id: newStack,
    when: "there is no pair yet",
    decide: ({ setters }) =>
      setters.length === 0 ? { sentence: "there is no pair yet; an operation never acts on a new stack" } : undefined,
  },
  {
    id: "operation.no-such-entry",
    when: "`atEpoch` is newer than the entry that made today's primary the primary",
    decide: ({ atEpoch, setters: [setter] }) =>
      setter && setter.epoch < atEpoch
        ? {
            sentence: `atEpoch is ${atEpoch}, but today's primary ${setter.primary} is one by entry ${setter.epoch}.`,
            remedy: `set atEpoch: ${setter.epoch}, if that is the primary you mean`,
          }
        : undefined,
  },
  {
    id: "operation.already-moved",
    when: "the next entry after `atEpoch` that set the primary is today's, and names `to`",
    decide: ({ atEpoch, to, setters }) => {
      const [setter] = setters;
      const next = setters.filter(({ epoch }) => epoch > atEpoch).at(-1);
      return next && next === setter && setter.primary === to
        ? { sentence: `already done; entry ${setter.epoch} made ${to} the primary` }
        : undefined;
    },
  },
  {
    id: "operation.overtaken",
    when: "another entry has set the primary since `atEpoch`",
    decide: ({ atEpoch, setters: [setter] }) =>
      setter && setter.epoch > atEpoch
        ? {
            sentence: `overtaken by entry ${setter.epoch}, which made ${setter.primary} the primary (${setter.by}, ${setter.at})`,
          }
        : undefined,
  },
  {
    id: "operation.done",
    when: "this attempt was done",
    decide: ({ last }) => (last?.state === "done" ? { sentence: `already done at ${last.at}` } : undefined),
  },
  {
    id: "operation.skipped",
    when: "this attempt was first seen beside a new stack",
    decide: ({ last, attempt }) =>
      last?.state === "skipped"
        ? {
            sentence: `attempt ${attempt} did nothing, for the stack was new; to do it now set attempt: ${attempt + 1}`,
          }
        : undefined,
  },
  {
    id: "operation.attempted",
    when: "this attempt failed, or began and did not end",
    decide: ({ last, attempt }) =>
      last && {
        sentence: `Attempt ${attempt} of ${last.at} ${last.state === "failed" ? `failed (${last.sentence})` : "was cut off"}.`,
        remedy: `harbor-ha status tells what there is now; to try again set attempt: ${attempt + 1}, or remove the block`,
      },
  },
];

/** The row of what is carried out. */
export const operationActs = { id: "operation.act", when: "anything else" };

/** Whether an entry made a node the primary; the others leave it as it was. */
const setsPrimary = ({ kind }: RecordEntry) => kind === "done" || kind === "restored";

/**
 * Whether an operation of the stack file is to be carried out: only on the primary it was written for, and once. `entries`:
 * of the record, newest first; `journal`: what the nodes remember of earlier attempts. Pure.
 */
export function judgeOperation(wish: Operation, entries: RecordEntry[] | undefined, journal: JournalEntry[]): Verdict {
  const { verb, atEpoch, attempt } = wish;
  const setters = entries?.filter(setsPrimary) ?? [];
  const earlier = journal.filter(
    ({ operation }) => operation?.verb === verb && operation.atEpoch === atEpoch && operation.attempt === attempt,
  );
  const last = earlier.find(({ state }) => state !== "began") ?? earlier[0];
  for (const { id, decide } of operationRules) {
    const { sentence, remedy } = decide({ ...wish, setters, last }) ?? {};
    if (sentence === undefined) continue;
    if (remedy !== undefined) return refuse(id, sentence, remedy);
    return { kind: "nothing", rule: id, sentence, ...(id === newStack ? { newStack: true } : {}) };
  }
  return { kind: "act", rule: operationActs.id, firstPrimary: setters.length === 1 };
}
