import { hostname, userInfo } from "node:os";
import type { Operation } from "../../components/model/operation.ts";
import { hostPaths } from "../../components/model/paths.ts";
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

/** Writes a line on these nodes; a lost one costs seconds that nobody has in a failover. */
export async function note(cluster: Cluster, nodes: string[], entry: Omit<JournalEntry, "at" | "by">): Promise<void> {
  const line = JSON.stringify({ at: new Date().toISOString(), by: `${userInfo().username}@${hostname()}`, ...entry });
  const file = hostPaths.journal;
  const append = `umask 077; { tail -n ${mostLines - 1} ${file} 2>/dev/null; cat; } > ${file}.new && sync ${file}.new && mv ${file}.new ${file}`;
  await Promise.allSettled(
    nodes.map((node) => cluster.host(node).must(append, { input: `${line}\n`, timeoutMs: 15_000 })),
  );
}

/** What the nodes that answer remember, newest first. */
export async function readJournal(cluster: Cluster): Promise<JournalEntry[]> {
  const texts = await Promise.all(
    [...cluster.hosts.values()].map(async (host) => (await host.run(`cat ${hostPaths.journal}`)).stdout),
  );
  const lines = new Set(texts.flatMap((text) => text.split("\n")).filter(Boolean));
  return [...lines].map((line): JournalEntry => JSON.parse(line)).sort((a, b) => b.at.localeCompare(a.at));
}

/** Works between two lines of the journal. */
export async function journalled<T>(
  cluster: Cluster,
  nodes: string[],
  about: Pick<JournalEntry, "verb" | "operation" | "sentence">,
  work: () => Promise<T>,
): Promise<T> {
  await note(cluster, nodes, { ...about, state: "began" });
  try {
    const result = await work();
    await note(cluster, nodes, { ...about, state: "done" });
    return result;
  } catch (error) {
    await note(cluster, nodes, { ...about, state: "failed", sentence: (error as Error).message });
    throw error;
  }
}
