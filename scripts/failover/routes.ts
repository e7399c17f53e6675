import { hostPaths } from "../../components/model/paths.ts";
import { ports } from "../../components/model/ports.ts";
import { quote } from "../../components/model/shell.ts";
import { addressOf, type DataService, dataServices } from "../../components/model/topology.ts";
import type { Cluster } from "../cluster/observe.ts";
import { until } from "../roll/wait.ts";

type Log = (line: string) => void;

/** Agents and HAProxies hear at once who leads now. The record is settled: nothing here fails the move. */
export async function announce(cluster: Cluster, primary: string, alive: string[], log: Log): Promise<void> {
  const lead = async (service: DataService) => {
    await until(`${primary}'s agent says that ${service} leads there`, 15_000, () =>
      leads(cluster, service, primary),
    ).catch((error: Error) => log(`${error.message}; harbor-ha status tells more`));
    await route(cluster, service, primary, alive);
  };
  await Promise.all(dataServices(cluster.inventory.topology).map(lead));
}

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

/** Whether the agent of a node, after a look of its own, says that the service leads there. */
export async function leads(cluster: Cluster, service: DataService, node: string): Promise<boolean> {
  const endpoint = service === "postgres" ? "/primary" : "/redis";
  const url = `http://${addressOf(cluster.inventory.topology, node)}:${ports.roles}${endpoint}`;
  const { status } = await cluster.host(node).run(`${askAgent("/look")} && curl -sf -m 2 -o /dev/null ${url}`);
  return status === 0;
}

/** HAProxy of each living node sends a service's clients to a node at once, instead of at its next check. */
export async function route(cluster: Cluster, service: DataService, to: string, alive: string[]): Promise<void> {
  const commands = cluster.inventory.topology.nodes
    .map(({ name }) => `set server ${service}/${name} health ${name === to ? "up" : "down"}`)
    .join("; ");
  const tell = `${askAgent("/routes")} -d ${quote(commands)}; ${askAgent("/look")}`;
  await Promise.allSettled(alive.map((node) => cluster.host(node).must(tell)));
}
