import { makeBundle } from "../../components/model/bundle.ts";
import { presentNodes } from "../../components/model/inventory.ts";
import { hostPaths } from "../../components/model/paths.ts";
import type { Cluster } from "../cluster/observe.ts";
import { UserError } from "../user-error.ts";

type Log = (line: string) => void;

/** Clients' side first, data last; what is not named here goes in between. */
const first = ["harbor", "keepalived", "haproxy", "pgbouncer", "agent", "redis", "postgres", "docker"];
const last = ["inventory", "system"];

/** As long as a step may wait for the host's lock. */
const timeoutMs = 600_000;

/** What is kept unless told otherwise. The shared storage is kept always. */
export const localData = ["/var/lib/postgresql/17", "/var/lib/redis", hostPaths.harborData];

/**
 * Stops and removes every service of the toolkit, the standby's node before the primary's. Killed anywhere, the same
 * command goes on.
 */
export async function uninstall(cluster: Cluster, withData: boolean, log: Log): Promise<void> {
  const observation = await cluster.observe();
  const nodes = presentNodes(cluster.inventory).map(({ name }) => name);
  const silent = nodes.filter((name) => observation[name]?.reach === "unreachable");
  if (silent.length > 0)
    throw new UserError(
      `${silent.join(" and ")} cannot be reached (${observation[silent[0] ?? ""]?.reason}). To uninstall the other one alone, set \`absent\` in an inventory file and give it with --inventory`,
      3,
    );
  nodes.sort((a, b) => rank(a) - rank(b));
  const manifests = new Map<string, string[]>();
  for (const node of nodes) manifests.set(node, await servicesOf(cluster, node));
  const services = [...new Set([...manifests.values()].flat())].sort((a, b) => place(a) - place(b));
  for (const service of services)
    for (const node of nodes) {
      if (!manifests.get(node)?.includes(service)) continue;
      log(`${node}: ${service}`);
      await leave(cluster, node, service);
    }
  for (const node of nodes) {
    log(`${node}: programs, settings and secrets${withData ? ", data" : ""}`);
    await cluster.host(node).must(clean(withData), { timeoutMs });
  }

  function rank(node: string) {
    return observation[node]?.host?.postgres.role === "primary" ? 1 : 0;
  }
}

function place(service: string): number {
  const index = first.indexOf(service);
  if (index >= 0) return index;
  return last.includes(service) ? first.length + 1 + last.indexOf(service) : first.length;
}

async function servicesOf(cluster: Cluster, node: string): Promise<string[]> {
  const manifests = `${hostPaths.state}/manifests`;
  const stdout = await cluster.host(node).must(`[ ! -d ${manifests} ] || ls ${manifests}`, { timeoutMs });
  return stdout.split("\n").flatMap((name) => /^(.+)\.json$/.exec(name)?.[1] ?? []);
}

/** A bundle with nothing in it: apply stops and removes what it brought. The clock goes on being kept. */
async function leave(cluster: Cluster, node: string, service: string): Promise<void> {
  const bundle = makeBundle(service, service === "system" ? { units: ["chrony.service"] } : {});
  await cluster
    .host(node)
    .must(
      `flock -w 600 ${hostPaths.lock} node ${hostPaths.programs}/apply.cjs && rm -f ${hostPaths.state}/manifests/${service}.json`,
      { input: JSON.stringify(bundle), timeoutMs },
    );
}

/** The newest entry seen stays beside the data that it protects. */
const clean = (withData: boolean) =>
  [
    // Whatever went wrong before: settings and data never go from under a server.
    "! systemctl is-active --quiet postgresql@17-main.service redis-server.service",
    `rm -rf ${hostPaths.harbor} ${hostPaths.etc} ${hostPaths.run}`,
    withData
      ? `rm -rf ${localData.map((path) => `${path}/*`).join(" ")} ${hostPaths.state}`
      : `find ${hostPaths.state} -mindepth 1 -maxdepth 1 ! -name known-entry.json ! -name storage-id -exec rm -rf {} +`,
    `rm -rf ${hostPaths.programs}`,
  ].join(" && ");
