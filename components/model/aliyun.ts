import { hostAddress, serviceAddressIn } from "./address.ts";
import { type ExternalOptions, externalServers } from "./external.ts";
import type { RecordPlace } from "./record.ts";
import { deriveText } from "./secrets.ts";
import type { System } from "./system.ts";
import type { Topology } from "./topology.ts";

/** The options of a stack that shape its pair in Alibaba Cloud. */
export interface AliyunConfig extends ExternalOptions {
  hostname: string;
  initialPrimary: string;
  docker: { addressPool: string };
  storage: { path: string };
  rootSecret: string;
  aliyun: AliyunOptions;
}

export interface AliyunOptions {
  region: string;
  /** The zone of node1 and that of node2. */
  zones: [string, string];
  image: string;
  system: System;
  instanceType: string;
  systemDiskGb: number;
  dataDiskGb: number;
  diskCategory: string;
  /** CIDRs from which SSH is allowed. */
  administrators: string[];
  /** CIDRs from which TCP 443 is allowed. */
  clients: string[];
  publicAddresses: boolean;
  user: string;
  privateKeyFile?: string;
  publicKey: string;
  jump?: { host: string; port: number; user: string; hostKey: string };
  network: {
    cidr: string;
    existing?: { vpc: string; switches: [string, string]; cidrs: [string, string]; addresses: [string, string] };
  };
  loadBalancer: { kind: "nlb" | "clb"; public: boolean };
  images: "nas" | "oss";
  nas: { storageType: "Performance" | "Capacity" | "Premium" };
  bucketSuffix: string;
  redis?: RedisOptions;
  postgres?: RdsOptions;
  protect: boolean;
  tags: Record<string, string>;
  /** Last word on the arguments of resources, by name as previews show it. */
  arguments: Record<string, Record<string, unknown>>;
}

/** A managed Redis. */
export interface RedisOptions {
  instanceClass: string;
  version: string;
}

/** A managed PostgreSQL. */
export interface RdsOptions {
  instanceType: string;
  storageGb: number;
  version: string;
}

/** How long after a failed check a balancer may still send clients: two checks of five seconds, and connections that end. */
export const drainSeconds = 20;

const nodeNames = ["node1", "node2"] as const;

/** The network of each node's switch. */
export function switchCidrs({ network: { cidr, existing } }: Pick<AliyunOptions, "network">): [string, string] {
  const [a, b] = cidr.split(".");
  return existing?.cidrs ?? [`${a}.${b}.1.0/24`, `${a}.${b}.2.0/24`];
}

/** The private addresses of the nodes: chosen here, so that the first preview shows every file. */
export function nodeAddresses(options: Pick<AliyunOptions, "network">): [string, string] {
  const [one, two] = switchCidrs(options);
  return options.network.existing?.addresses ?? [hostAddress(one, 11), hostAddress(two, 11)];
}

/** The zone of names that only the pair's network knows. */
export const privateZone = (stack: string) => `${stack}.harbor-ha.internal`;

/** What the buckets are for: the cluster record, images if they are not on NAS, and backups. */
export type BucketUse = "record" | "images" | "backup";

/** A bucket's name is the world's: the suffix keeps it apart. */
export const bucketName = (stack: string, use: BucketUse, { bucketSuffix }: Pick<AliyunOptions, "bucketSuffix">) =>
  `harbor-ha-${stack}-${use}-${bucketSuffix}`;

/** RAM role of the nodes. */
export const nodeRole = (stack: string) => `harbor-ha-${stack}-node`;

/** Beginning of the record's objects in its bucket. */
export const recordPrefix = "record";

/** What is wrong with a stack's name: it becomes part of names that the cloud limits. */
export function stackNameProblem(stack: string): string | undefined {
  return /^(?=.{1,24}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(stack)
    ? undefined
    : `the stack's name "${stack}" becomes part of names in Alibaba Cloud: use at most 24 lower-case letters and digits, with single - between them, beginning with a letter`;
}

/**
 * Managed servers as servers of one's own: nothing behind this knows the difference. Their names are the private zone's, and
 * their passwords are derived, so that the first preview shows every file.
 */
export function withManagedServers<C extends Partial<Pick<AliyunConfig, "aliyun">> & Omit<AliyunConfig, "aliyun">>(
  stack: string,
  config: C,
): C {
  const server = (name: "redis" | "postgres", port: number) => ({
    host: `${name}.${privateZone(stack)}`,
    port,
    // Alibaba Cloud asks for three kinds of characters, which a derived text need not have.
    password: `Hh0${deriveText(config.rootSecret, `aliyun.${name}`, 29)}`,
  });
  const { redis, postgres } = config.aliyun ?? {};
  return {
    ...config,
    ...(redis ? { redis: { ...config.redis, external: server("redis", 6379) } } : {}),
    ...(postgres
      ? {
          postgres: {
            ...config.postgres,
            external: { ...server("postgres", 5432), database: "registry", user: "harbor", sslMode: "require" },
          },
        }
      : {}),
  };
}

function storageOf(stack: string, { aliyun, storage }: AliyunConfig): Topology["storage"] {
  return aliyun.images === "nas"
    ? // NAS speaks 3 and 4.0; with 4.0 two nodes see each other's locks.
      { kind: "nfs", path: storage.path, server: `nas.${privateZone(stack)}`, export: "/", version: "4.0" }
    : { kind: "oss", region: aliyun.region, bucket: bucketName(stack, "images", aliyun), folder: "harbor" };
}

/** Not on the share: the record has to be readable when the share is not, and creates exclusively where NFS only nearly does. */
function recordOf(stack: string, aliyun: AliyunOptions): RecordPlace {
  const bucket = bucketName(stack, "record", aliyun);
  return {
    kind: "oss",
    address: `https://${bucket}.oss-${aliyun.region}-internal.aliyuncs.com`,
    region: aliyun.region,
    bucket,
    prefix: recordPrefix,
    role: nodeRole(stack),
  };
}

/** What the pair in Alibaba Cloud is, as plain data; names stand where only the cloud knows the address. */
export function aliyunTopology(stack: string, config: AliyunConfig): Topology {
  const { aliyun } = config;
  const [one, two] = nodeAddresses(aliyun);
  const networkInterface = "eth0";
  return {
    stack,
    target: "aliyun",
    system: aliyun.system,
    nodes: [
      { name: nodeNames[0], address: one, networkInterface },
      { name: nodeNames[1], address: two, networkInterface },
    ],
    initialPrimary: config.initialPrimary,
    hostname: config.hostname,
    endpoint: { kind: "loadBalancer", drainSeconds },
    serviceAddress: serviceAddressIn(config.docker.addressPool),
    dockerPool: config.docker.addressPool,
    storage: storageOf(stack, config),
    record: recordOf(stack, aliyun),
    ...externalServers(config),
  };
}
