import { type Operation, operation } from "../../components/model/operation.ts";
import { readJournal } from "../cluster/journal.ts";
import type { Cluster } from "../cluster/observe.ts";
import { readHistory } from "../cluster/record.ts";
import { UserError } from "../user-error.ts";
import { judgeOperation, type Verdict } from "./rules.ts";

export const parseOperation = (text: string): Operation => operation.parse(JSON.parse(text));

/**
 * What becomes of an operation of the stack file, by the record and the nodes' journal.
 * @throws UserError with exit code 3 where there is a pair whose record nobody can read: that is no new stack.
 */
export async function judge(cluster: Cluster, wish: Operation): Promise<Verdict> {
  const observation = await cluster.observe();
  const history = await readHistory(cluster, observation, 1_000);
  // On a new stack the storage is not prepared yet, and its record as unreadable as that of a pair whose storage is away.
  const begun = Object.values(observation).some(
    ({ host }) => host && (host.record.belief.state === "good" || host.record.known || host.postgres.data !== "empty"),
  );
  if (begun && !history)
    throw new UserError(
      `operations.${wish.verb}: the cluster record cannot be read, so nobody can tell whether it was done → bring its storage back`,
      3,
    );
  return judgeOperation(wish, history?.entries, await readJournal(cluster));
}
