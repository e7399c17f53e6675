import { hostPaths } from "../../components/model/paths.ts";
import type { Cluster } from "./observe.ts";

/** Works while the agents of some nodes start nothing and tell nobody: what stops there is meant to. */
export async function underMaintenance<T>(cluster: Cluster, nodes: string[], work: () => Promise<T>): Promise<T> {
  const leases = await Promise.all(
    nodes.map((node) => cluster.host(node).lease(`${hostPaths.programs}/lease.sh maintenance`, "held")),
  );
  try {
    return await work();
  } finally {
    await Promise.all(leases.map((release) => release()));
  }
}
