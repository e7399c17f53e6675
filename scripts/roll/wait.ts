import { type Cluster, newestOf } from "../cluster/observe.ts";
import { UserError } from "../user-error.ts";

/** Asks again and again until the answer is yes; after the deadline an error that names what was waited for. */
export async function until(what: string, deadlineMs: number, ask: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const asked = Date.now();
    if (await ask()) return;
    if (Date.now() > end) throw new UserError(`gave up after ${deadlineMs / 1000} s: ${what} did not happen`);
    // A question that is much work is not asked all the time.
    await new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(250, Date.now() - asked), 2_000)));
  }
}

/** Until the agent of the primary has made replication synchronous, and the record says so. */
export const untilSynchronous = (cluster: Cluster, deadlineMs: number) =>
  until("the standby is synchronous, by the record", deadlineMs, async () =>
    Object.values(await cluster.observe()).some((node) => (newestOf(node)?.sync.length ?? 0) > 0),
  );
