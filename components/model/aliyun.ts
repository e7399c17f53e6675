import { hostAddress, serviceAddressIn } from "./address.ts";
import { type ExternalOptions, externalServers } from "./external.ts";
import { type RecordOptions, recordPlaceOf } from "./record.ts";
import type { System } from "./system.ts";
import type { Topology } from "./topology.ts";

/** The options of a stack that shape its pair in Alibaba Cloud. */
export interface AliyunConfig extends ExternalOptions {
  hostname: string;
  initialPrimary: string;
  docker: { addressPool: string };
  record?: RecordOptions;
  storage: { path: string };
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
  nas: { storageType: "Performance" | "Capacity" | "Premium" };
  protect: boolean;
  tags: Record<string, string>;
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

/** What the pair in Alibaba Cloud is, as plain data; names stand where only the cloud knows the address. */
export function aliyunTopology(stack: string, config: AliyunConfig): Topology {
  const { aliyun, storage } = config;
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
    // NAS speaks 3 and 4.0; with 4.0 two nodes see each other's locks.
    storage: { kind: "nfs", path: storage.path, server: `nas.${privateZone(stack)}`, export: "/", version: "4.0" },
    record: recordPlaceOf(config, `${storage.path}-record`),
    ...externalServers(config),
  };
}
