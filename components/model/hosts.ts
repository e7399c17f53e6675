import { serviceAddressIn } from "./address.ts";
import { type ExternalOptions, externalServers } from "./external.ts";
import type { Fence } from "./inventory.ts";
import type { SshAccess } from "./node.ts";
import { type RecordOptions, recordPlaceOf } from "./record.ts";
import type { System } from "./system.ts";
import type { Topology } from "./topology.ts";

/** One machine of yours, as the configuration says it. */
interface HostOptions {
  address: string;
  hostKey: string;
  sshHost?: string;
  sshPort?: number;
  networkInterface?: string;
}

interface StorageOptions {
  path: string;
  nfs?: { server: string; export: string; version: string };
  s3?: { endpoint: string; region: string; bucket: string; folder: string };
}

/** The options of a stack that shape its pair on machines of yours. */
export interface HostsConfig extends ExternalOptions {
  hostname: string;
  initialPrimary: string;
  docker: { addressPool: string };
  record?: RecordOptions;
  storage: StorageOptions;
  hosts: {
    node1: HostOptions;
    node2: HostOptions;
    system: System;
    user: string;
    privateKeyFile?: string;
    jump?: { host: string; port: number; user: string; hostKey: string };
    networkInterface?: string;
    virtualAddress?: string;
    loadBalancer?: { drainSeconds: number };
    fence: string | { aliyun: { region: string; node1: string; node2: string; endpoint?: string } };
  };
}

/** Two machines of yours as plain data. */
export function hostsTopology(stack: string, config: HostsConfig): Topology {
  const { hosts, storage } = config;
  const node = (name: "node1" | "node2") => ({
    name,
    address: hosts[name].address,
    networkInterface: hosts[name].networkInterface ?? hosts.networkInterface,
  });
  const [address = "", prefixLength] = (hosts.virtualAddress ?? "").split("/");
  return {
    stack,
    target: "hosts",
    system: hosts.system,
    nodes: [node("node1"), node("node2")],
    initialPrimary: config.initialPrimary,
    hostname: config.hostname,
    endpoint: hosts.loadBalancer
      ? { kind: "loadBalancer", drainSeconds: hosts.loadBalancer.drainSeconds }
      : { kind: "virtualAddress", address, prefixLength: Number(prefixLength) },
    serviceAddress: serviceAddressIn(config.docker.addressPool),
    dockerPool: config.docker.addressPool,
    storage: storageOf(storage),
    record: recordPlaceOf(config, `${storage.path}${storage.nfs ? "-record" : ""}`),
    ...externalServers(config),
  };
}

function storageOf({ path, nfs, s3 }: StorageOptions): Topology["storage"] {
  if (s3) {
    const { endpoint, region, bucket, folder } = s3;
    return { kind: "s3", endpoint, region, bucket, folder };
  }
  return nfs ? { kind: "nfs", path, ...nfs } : { kind: "mounted", path };
}

/** How to log in on each of them. */
export function hostsAccess({ hosts }: Pick<HostsConfig, "hosts">): Record<string, SshAccess> {
  const login = ({ address, hostKey, sshHost, sshPort }: HostOptions): SshAccess => ({
    host: sshHost ?? address,
    port: sshPort ?? 22,
    user: hosts.user,
    hostKey,
    ...(hosts.privateKeyFile ? { identityFile: hosts.privateKeyFile } : {}),
    ...(hosts.jump ? { jump: hosts.jump } : {}),
  });
  return { node1: login(hosts.node1), node2: login(hosts.node2) };
}

/** How one of them is proven to be off. */
export function hostsFence({ hosts: { fence } }: Pick<HostsConfig, "hosts">): Fence {
  if (fence === "none") return { kind: "none" };
  if (typeof fence === "string") return { kind: "command", command: fence };
  const { region, endpoint, node1, node2 } = fence.aliyun;
  return { kind: "aliyun", region, ...(endpoint ? { endpoint } : {}), instances: { node1, node2 } };
}
