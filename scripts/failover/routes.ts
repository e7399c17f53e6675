import { hostPaths } from "../../components/model/paths.ts";
import { quote } from "../../components/model/shell.ts";
import type { DataService } from "../../components/model/topology.ts";
import type { Cluster } from "../cluster/observe.ts";
import { until } from "../roll/wait.ts";

type Log = (line: string) => void;

/** Until a write of our own goes through on each living node, by Harbor's own way: its pooler may still remember a failure. */
export async function untilWritten(cluster: Cluster, alive: string[], log: Log): Promise<void> {
  const written = (node: string) =>
    until(`a write by Harbor's way on ${node}`, 20_000, async () => {
      const { status } = await cluster.host(node).run(`${hostPaths.programs}/pgbouncer.sh check`);
      return status === 0;
    }).catch((error: Error) => log(`${error.message}; harbor-ha status tells more`));
  await Promise.all(alive.map(written));
}

const askAgent = (path: string) =>
  `curl -sf -m 5 -o /dev/null -X POST --unix-socket ${hostPaths.agentSocket} http://agent${path}`;

/**
 * Each living node's agent looks anew at record and servers, and its HAProxy sends the services' clients to a node at once,
 * instead of at its next check. Nothing here fails a move: HAProxy's own checks come to the same by themselves.
 */
export async function lead(cluster: Cluster, services: DataService[], to: string, alive: string[]): Promise<void> {
  const commands = services.flatMap((service) =>
    cluster.inventory.topology.nodes.map(
      ({ name }) => `set server ${service}/${name} health ${name === to ? "up" : "down"}`,
    ),
  );
  const tell = `${askAgent("/look")}; ${askAgent("/routes")} -d ${quote(commands.join("; "))}`;
  await Promise.allSettled(alive.map((node) => cluster.host(node).must(tell)));
}
