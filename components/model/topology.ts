import { z } from "zod";
import { node } from "./node.ts";
import { recordPlace } from "./record.ts";

/**
 * The shape of the pair as plain data, known in the first preview: every render is a function of this and the
 * configuration. What only a cloud knows (SSH host, load balancer address) is not in it.
 */
export const topology = z.object({
  stack: z.string(),
  target: z.enum(["lab"]),
  nodes: z.tuple([node, node]),
  /** Gets the first, empty database; read once, never again. */
  initialPrimary: z.string(),
  /** Name or address clients use; the certificate names it. */
  hostname: z.string(),
  virtualAddress: z.string(),
  /** Length of the network prefix the nodes and the virtual address share. */
  prefixLength: z.number().int(),
  /** Interface of the nodes that carries these addresses. */
  networkInterface: z.string(),
  /** An address that exists on every node alike and never leaves it: Harbor's containers reach PgBouncer and HAProxy there. */
  serviceAddress: z.string(),
  /** Docker takes its networks from here (CIDR). */
  dockerPool: z.string(),
  storage: z.object({ kind: z.literal("mounted"), path: z.string() }),
  /** The cluster record: which node may write. On storage that both nodes share. */
  record: recordPlace,
});
export type Topology = z.infer<typeof topology>;

/** The other node of the pair. */
export function peerOf(topology: Pick<Topology, "nodes">, name: string): Topology["nodes"][number] {
  const peer = topology.nodes.find((node) => node.name !== name);
  if (!peer) throw new Error(`no peer for node ${name}`);
  return peer;
}
