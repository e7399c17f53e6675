import { type Operation, operation } from "../../components/model/operation.ts";
import { readJournal } from "../cluster/journal.ts";
import type { Cluster } from "../cluster/observe.ts";
import { readHistory } from "../cluster/record.ts";
import { judgeOperation, type Verdict } from "./rules.ts";

export const parseOperation = (text: string): Operation => operation.parse(JSON.parse(text));

/** What becomes of an operation of the stack file, by the record and the nodes' journal. */
export async function judge(cluster: Cluster, wish: Operation): Promise<Verdict> {
  const history = await readHistory(cluster, await cluster.observe(), 200);
  return judgeOperation(wish, history?.entries, await readJournal(cluster));
}
