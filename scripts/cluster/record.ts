import { randomUUID } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { hostPaths } from "../../components/model/paths.ts";
import type { Claim, RecordAccess, RecordEntry } from "../../components/model/record.ts";
import { quote } from "../../components/model/shell.ts";
import type { ClaimResult, RecordRequest } from "../record/client.ts";
import { UserError } from "../user-error.ts";
import type { Cluster, Observation } from "./observe.ts";
import { lockHeld } from "./ssh.ts";

const ownProgram = `node ${hostPaths.programs}/agent.cjs record`;
const agentsDoor = `curl -sf -m 30 --unix-socket ${hostPaths.agentSocket} -d @- http://agent/record`;

/**
 * Asks the record through one node, under that node's lock if something is written. `at`: another place than the one the
 * node is configured for.
 */
export async function askRecord<T>(
  cluster: Cluster,
  node: string,
  request: RecordRequest,
  at?: RecordAccess,
): Promise<T> {
  // The agent of the node is asked, or where none answers a program of its own; trials would keep the agent from its work.
  const quick = !at && ["read", "claim", "history"].includes(request.do);
  const program = !quick
    ? ownProgram
    : `sh -c ${quote(`input=$(cat); [ -n "$input" ] || exit 1; printf %s "$input" | ${agentsDoor} || printf %s "$input" | ${ownProgram}`)}`;
  const input = JSON.stringify({ at, ...request });
  const host = cluster.host(node);
  // A claim that its operator gave up while it waited for the lock must not be made afterwards: it has had no input yet.
  const { status, stdout, stderr } =
    request.do === "claim"
      ? await host.run(`flock -w 20 -E 75 ${hostPaths.lock} sh -c ${quote(`echo locked; ${program}`)}`, {
          input,
          after: "locked\n",
        })
      : await host.run(program, { input });
  if (status === 75) throw lockHeld(node);
  if (status !== 0)
    throw new UserError(`${node}: the cluster record could not be reached: ${stderr.trim()}`, status === 255 ? 3 : 1);
  return JSON.parse(stdout);
}

/** What lies in the record's place, read through the first node that can; newest entries first. */
export async function readHistory(
  cluster: Cluster,
  observation: Observation,
  last: number,
): Promise<{ reader: string; highest: number; entries: RecordEntry[] } | undefined> {
  for (const { name } of cluster.inventory.topology.nodes) {
    if (!observation[name]?.host) continue;
    const request = { do: "history", last } as const;
    const found = await askRecord<{ highest: number; entries: RecordEntry[] }>(cluster, name, request).catch(
      () => undefined,
    );
    if (found) return { reader: name, ...found };
  }
  return undefined;
}

/** Claims the entry after `previous` through a node. @throws UserError if another claimant was first. */
export async function claimEntry(cluster: Cluster, node: string, previous: number, entry: Claim): Promise<void> {
  const by = `${userInfo().username}@${hostname()}`;
  const { won, newest } = await askRecord<ClaimResult>(cluster, node, { do: "claim", previous, entry, by });
  if (!won)
    throw new UserError(
      `entry ${previous + 1} of the record was claimed by ${newest.by} at ${newest.at} (${newest.kind}, primary ${newest.primary}): run the same command again`,
    );
}

/** How many entries both nodes race for. */
const races = 50;

/**
 * Proves on the real storage that a second creation of an entry fails, and that of two nodes creating at the same time
 * exactly one wins and both read the winner.
 * @throws UserError with exit code 2 if the storage does not hold what the record rests on.
 */
export async function proveRecord(cluster: Cluster, at?: RecordAccess): Promise<void> {
  const nodes = [...cluster.hosts.keys()];
  const trial = `trial-${randomUUID()}`;
  const refused = (what: string) =>
    new UserError(
      `the storage of the cluster record ${what}: two nodes could both become primary on it. Use another storage`,
      2,
    );
  try {
    for (const node of nodes)
      if (!(await askRecord<boolean>(cluster, node, { do: "prove", trial: `${trial}-${node}` }, at)))
        throw refused("lets an entry be created twice");
    const runs = await Promise.all(
      nodes.map((node) =>
        askRecord<{ created: number[]; holds: Record<number, string> }>(
          cluster,
          node,
          {
            do: "race",
            trial,
            from: 1,
            to: races,
            text: `${node}\n`,
          },
          at,
        ),
      ),
    );
    for (let number = 1; number <= races; number++) {
      const winners = nodes.filter((_, index) => runs[index]?.created.includes(number));
      if (winners.length !== 1) throw refused(`let ${winners.length} nodes create the same entry`);
      if (runs.some(({ holds }) => holds[number] !== `${winners[0]}\n`)) throw refused("is not the same on both nodes");
    }
  } finally {
    for (const node of nodes) {
      await askRecord(cluster, node, { do: "forget", trial: `${trial}-${node}` }, at).catch(() => {});
      await askRecord(cluster, node, { do: "forget", trial }, at).catch(() => {});
    }
  }
}
