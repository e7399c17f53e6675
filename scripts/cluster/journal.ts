import { hostname, userInfo } from "node:os";
import type { Operation } from "../../components/model/operation.ts";
import { hostPaths } from "../../components/model/paths.ts";
import { UserError } from "../user-error.ts";
import type { Cluster } from "./observe.ts";

/** One line of the journal that the nodes keep of what people and stacks asked for; newest last in the file. */
export interface JournalEntry {
  at: string;
  /** User and machine. */
  by: string;
  verb: string;
  state: "began" | "done" | "failed" | "skipped";
  sentence: string;
  /** The block of the stack file that asked. */
  operation?: Pick<Operation, "verb" | "atEpoch" | "attempt">;
}

/** Old lines go: it is read by people. */
const mostLines = 1_000;

/** Writes a line on these nodes; a lost one costs seconds that nobody has in a failover. @returns on how many it is. */
export async function note(cluster: Cluster, nodes: string[], entry: Omit<JournalEntry, "at" | "by">): Promise<number> {
  const line = JSON.stringify({ at: new Date().toISOString(), by: `${userInfo().username}@${hostname()}`, ...entry });
  const file = hostPaths.journal;
  const append = `umask 077; exec 9> ${file}.lock; flock -w 10 9; { tail -n ${mostLines - 1} ${file} 2>/dev/null; cat; } > ${file}.new && sync ${file}.new && mv ${file}.new ${file}`;
  const written = await Promise.allSettled(
    nodes.map((node) => cluster.host(node).must(append, { input: `${line}\n`, timeoutMs: 15_000 })),
  );
  return written.filter(({ status }) => status === "fulfilled").length;
}

/** What the nodes that answer remember, newest first. */
export async function readJournal(cluster: Cluster): Promise<JournalEntry[]> {
  const texts = await Promise.all(
    [...cluster.hosts.values()].map(async (host) => (await host.run(`cat ${hostPaths.journal}`)).stdout),
  );
  const lines = new Set(texts.flatMap((text) => text.split("\n")).filter(Boolean));
  return [...lines].flatMap(parse).sort((a, b) => b.at.localeCompare(a.at));
}

/** A line that its node did not live to finish says nothing. */
function parse(line: string): JournalEntry[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

/** Works between two lines of the journal. */
export async function journalled<T>(
  cluster: Cluster,
  nodes: string[],
  about: Pick<JournalEntry, "verb" | "operation" | "sentence">,
  work: () => Promise<T>,
): Promise<T> {
  const written = await note(cluster, nodes, { ...about, state: "began" });
  // What nobody remembers the next `up` would do again.
  if (about.operation && written === 0)
    throw new UserError("nothing was done: no node could note that it begins; is a disk full?");
  try {
    const result = await work();
    await note(cluster, nodes, { ...about, state: "done" });
    return result;
  } catch (error) {
    await note(cluster, nodes, { ...about, state: "failed", sentence: (error as Error).message });
    throw error;
  }
}
