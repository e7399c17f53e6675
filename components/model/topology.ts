import { z } from "zod";
import { node } from "./node.ts";
import { recordPlace } from "./record.ts";
import { system } from "./system.ts";

/** Who holds TCP 443: an address that keepalived moves between the nodes, or a load balancer in front of them. */
const endpoint = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("virtualAddress"), address: z.string(), prefixLength: z.number().int() }),
  z.object({
    kind: z.literal("loadBalancer"),
    /** How long after `/endpoint` says no the balancer may still send clients. */
    drainSeconds: z.number(),
  }),
]);

/** Where images lie: a directory that somebody else mounts, an NFS share that the toolkit mounts, or a bucket, S3-compatible or OSS. */
const storage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("mounted"), path: z.string() }),
  z.object({
    kind: z.literal("nfs"),
    path: z.string(),
    server: z.string(),
    export: z.string(),
    version: z.string(),
  }),
  z.object({ kind: z.literal("s3"), endpoint: z.string(), region: z.string(), bucket: z.string(), folder: z.string() }),
  z.object({ kind: z.literal("oss"), region: z.string(), bucket: z.string(), folder: z.string() }),
]);

/** A PostgreSQL server of yours. */
const externalDatabase = z.object({
  host: z.string(),
  port: z.number().int(),
  name: z.string(),
  user: z.string(),
  sslMode: z.string(),
});

/** A Redis server of yours. `tls`: whether nodes speak TLS to it. */
const externalRedis = z.object({
  host: z.string(),
  port: z.number().int(),
  user: z.string().optional(),
  tls: z.boolean(),
});

/** The shared directory, where there is one. */
export function sharedPath({ storage }: Pick<Topology, "storage">): string | undefined {
  return "path" in storage ? storage.path : undefined;
}

/**
 * The shape of the pair as plain data, known in the first preview: every render is a function of this and the
 * configuration. What only a cloud knows (SSH host, load balancer address) is not in it.
 */
export const topology = z.object({
  stack: z.string(),
  target: z.enum(["lab", "hosts", "aliyun"]),
  /** Of both nodes. */
  system: system.default("debian-13"),
  nodes: z.tuple([node, node]),
  /** Gets the first, empty database; read once, never again. */
  initialPrimary: z.string(),
  /** Name or address clients use; the certificate names it. */
  hostname: z.string(),
  endpoint,
  /** An address that exists on every node alike and never leaves it: Harbor's containers reach PgBouncer and HAProxy there. */
  serviceAddress: z.string(),
  /** Docker takes its networks from here (CIDR). */
  dockerPool: z.string(),
  storage,
  /** The cluster record: which node may write. On storage that both nodes share. */
  record: recordPlace,
  /** Servers of yours; absent: the pair runs its own. */
  database: externalDatabase.optional(),
  redis: externalRedis.optional(),
});
export type Topology = z.infer<typeof topology>;

export type DataService = "postgres" | "redis";

/**
 * The data services that run on the nodes and move together, as the cluster record says; the first one leads. None: both are
 * servers of yours, whose own provider keeps them alive, and there is no record.
 */
export const dataServices = ({ database, redis }: Pick<Topology, "database" | "redis">): DataService[] => [
  ...(database ? [] : (["postgres"] as const)),
  ...(redis ? [] : (["redis"] as const)),
];

/** The address that moves between the nodes; undefined behind a load balancer. */
export function virtualAddressOf({ endpoint }: Pick<Topology, "endpoint">): string | undefined {
  return endpoint.kind === "virtualAddress" ? endpoint.address : undefined;
}

/** The other node of the pair. */
export function peerOf(topology: Pick<Topology, "nodes">, name: string): Topology["nodes"][number] {
  const peer = topology.nodes.find((node) => node.name !== name);
  if (!peer) throw new Error(`no peer for node ${name}`);
  return peer;
}

/** A node's private address; empty for a name that no node has. */
export function addressOf({ nodes }: Pick<Topology, "nodes">, name: string): string {
  return nodes.find((node) => node.name === name)?.address ?? "";
}
