import { hostPaths } from "../../components/model/paths.ts";
import type { Cluster } from "./observe.ts";
import type { Lease } from "./ssh.ts";

/** Works under leases; what is lost before the work ends is an error. */
export async function under<T>(leases: Lease[], work: () => Promise<T>): Promise<T> {
  try {
    const lost = leases.map(async (lease): Promise<never> => {
      await lease.lost;
      // Released: the work has ended.
      return new Promise(() => {});
    });
    return await Promise.race([work(), ...lost]);
  } finally {
    await Promise.all(leases.map((lease) => lease.release()));
  }
}

/** Works while the agents of some nodes start nothing and tell nobody: what stops there is meant to. */
export async function underMaintenance<T>(cluster: Cluster, nodes: string[], work: () => Promise<T>): Promise<T> {
  const leases = await Promise.all(
    nodes.map((node) => cluster.host(node).lease(`${hostPaths.programs}/lease.sh maintenance`, "held")),
  );
  return under(leases, work);
}
