import { setTimeout } from "node:timers/promises";
import { hostPaths } from "../../components/model/paths.ts";
import { under } from "../cluster/maintenance.ts";
import type { Cluster } from "../cluster/observe.ts";
import { until } from "./wait.ts";

/** How long open connections of clients may go on before Harbor restarts under them. A big layer takes minutes. */
const drainDeadline = 120_000;

/** Installs or restarts Harbor on one node while the other one serves; clients notice nothing. */
export async function harborStep(
  cluster: Cluster,
  node: string,
  verb: "install" | "restart",
  drain: boolean,
): Promise<void> {
  const work = async () => {
    await cluster
      .host(node)
      .locked(
        "harbor.sh",
        verb === "install" ? ["install", cluster.inventory.harbor.installer.sha256] : ["restart"],
        1_800_000,
      );
    await until(
      `Harbor on ${node} answers`,
      300_000,
      async () => (await cluster.observe())[node]?.host?.harbor.answers === true,
    );
  };
  if (drain) return drained(cluster, node, work);
  await work();
  await clientsReturn(cluster, node);
}

/** Works while clients of a node are at the other one: from the last open connection's end until it serves again. */
export async function drained(cluster: Cluster, node: string, work: () => Promise<void>): Promise<void> {
  const lease = await cluster.host(node).lease(`${hostPaths.programs}/lease.sh drain`, "held");
  await under([lease], async () => {
    await clientsLeave(cluster, node);
    await work();
  });
  await clientsReturn(cluster, node);
}

async function clientsLeave(cluster: Cluster, node: string): Promise<void> {
  const { endpoint } = cluster.inventory.topology;
  if (endpoint.kind === "loadBalancer") {
    await until(`${node} asks the load balancer for no more clients`, 30_000, async () => isDrained(cluster, node));
    // Nobody can be asked when a balancer of yours has noticed.
    return setTimeout(endpoint.drainSeconds * 1000);
  }
  await until(`no HAProxy sends clients to ${node}`, 30_000, async () =>
    (await states(cluster, node)).every(({ up }) => !up),
  );
  await until(`the last client of ${node} is served`, drainDeadline, async () =>
    (await states(cluster, node)).every(({ sessions }) => sessions === 0),
  ).catch(() => {});
}

async function clientsReturn(cluster: Cluster, node: string): Promise<void> {
  const { endpoint } = cluster.inventory.topology;
  if (endpoint.kind === "loadBalancer") {
    await until(`${node} takes clients again`, 30_000, async () => !(await isDrained(cluster, node)));
    return setTimeout(endpoint.drainSeconds * 1000);
  }
  await until(`HAProxy sends clients to ${node} again`, 60_000, async () =>
    (await states(cluster, node)).every(({ up }) => up),
  );
}

const isDrained = async (cluster: Cluster, node: string) =>
  (await cluster.observe())[node]?.host?.harbor.drained === true;

/** What each HAProxy of the pair thinks of a node's Harbor. */
async function states(cluster: Cluster, node: string): Promise<{ up: boolean; sessions: number }[]> {
  return Promise.all(
    [...cluster.hosts.values()].map(async (host) => {
      const { stdout } = await host.run(
        `echo 'show stat harbor 4 -1' | node ${hostPaths.programs}/agent.cjs relay ${hostPaths.haproxySocket}`,
      );
      const [header = "", ...lines] = stdout.split("\n");
      const columns = header.replace(/^# /, "").split(",");
      const row = lines.map((line) => line.split(",")).find((cells) => cells[columns.indexOf("svname")] === node) ?? [];
      return {
        up: (row[columns.indexOf("status")] ?? "").startsWith("UP"),
        sessions: Number(row[columns.indexOf("scur")] ?? 0),
      };
    }),
  );
}
