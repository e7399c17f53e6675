import type { Operation } from "../../components/model/operation.ts";
import type { RecordEntry } from "../../components/model/record.ts";
import type { JournalEntry } from "../cluster/journal.ts";
import type { Refusal } from "../refusal.ts";

/** What becomes of an operation that a stack asks for. */
export type Verdict =
  /** `firstPrimary`: nobody but the pair's making has set it. */
  { kind: "act"; firstPrimary: boolean } | { kind: "nothing"; sentence: string; newStack?: boolean } | Refusal;

/** Whether an entry made a node the primary; the others leave it as it was. */
const setsPrimary = ({ kind }: RecordEntry) => kind === "done" || kind === "restored";

/**
 * Whether an operation of the stack file is to be carried out: only on the primary it was written for, and once. `entries`:
 * of the record, newest first; `journal`: what the nodes remember of earlier attempts. Pure.
 */
export function judgeOperation(
  { verb, to, atEpoch, attempt }: Operation,
  entries: RecordEntry[] | undefined,
  journal: JournalEntry[],
): Verdict {
  const setter = entries?.find(setsPrimary);
  if (!entries || !setter)
    return {
      kind: "nothing",
      newStack: true,
      sentence: "there is no pair yet; an operation never acts on a new stack",
    };
  if (setter.epoch < atEpoch)
    return {
      kind: "refusal",
      rule: "operation.no-such-entry",
      sentence: `atEpoch is ${atEpoch}, but today's primary ${setter.primary} is one by entry ${setter.epoch}.`,
      remedy: `set atEpoch: ${setter.epoch}, if that is the primary you mean`,
      exitCode: 2,
    };
  if (setter.epoch > atEpoch) {
    const next = entries.filter((entry) => setsPrimary(entry) && entry.epoch > atEpoch).at(-1);
    return {
      kind: "nothing",
      sentence:
        next === setter && setter.primary === to
          ? `already done; entry ${setter.epoch} made ${to} the primary`
          : `overtaken by entry ${setter.epoch}, which made ${setter.primary} the primary (${setter.by}, ${setter.at})`,
    };
  }
  const earlier = journal.filter(
    ({ operation }) => operation?.verb === verb && operation.atEpoch === atEpoch && operation.attempt === attempt,
  );
  const last = earlier.find(({ state }) => state !== "began") ?? earlier[0];
  if (last?.state === "done") return { kind: "nothing", sentence: `already done at ${last.at}` };
  if (last?.state === "skipped")
    return {
      kind: "nothing",
      sentence: `attempt ${attempt} did nothing, for the stack was new; to do it now set attempt: ${attempt + 1}`,
    };
  if (last)
    return {
      kind: "refusal",
      rule: "operation.attempted",
      sentence: `Attempt ${attempt} of ${last.at} ${last.state === "failed" ? `failed (${last.sentence})` : "was cut off"}.`,
      remedy: `harbor-ha status tells what there is now; to try again set attempt: ${attempt + 1}, or remove the block`,
      exitCode: 2,
    };
  return { kind: "act", firstPrimary: entries.filter(setsPrimary).length === 1 };
}
