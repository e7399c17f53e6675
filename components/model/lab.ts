import { join, resolve } from "node:path";
import { hostAddress, serviceAddressIn } from "./address.ts";
import { type ExternalOptions, externalServers } from "./external.ts";
import { type RecordOptions, recordPlaceOf } from "./record.ts";
import type { Topology } from "./topology.ts";

/** Everything of one lab: keys, hosts' disks, the shared directory. `$HARBOR_HA_LAB_DIR`, else `/var/lib/harbor-ha-lab`; then the lab's name, which is the stack's. */
export function labDirectory(name: string): string {
  return join(resolve(process.env.HARBOR_HA_LAB_DIR || "/var/lib/harbor-ha-lab"), name);
}

/** Login key and host keys, made before the hosts, so that the first preview knows them. */
export const labKeys = (name: string) => ({
  identity: join(labDirectory(name), "keys", "id_ed25519"),
  hostKey: (node: string) => join(labDirectory(name), "keys", `${node}_ed25519.pub`),
});

/** The options of a stack that shape its lab. */
interface LabConfig extends ExternalOptions {
  hostname: string;
  initialPrimary: string;
  lab: { subnet: string };
  docker: { addressPool: string };
  record?: RecordOptions;
}

/** The lab as plain data: its addresses follow from the subnet. */
export const labTopology = {
  virtualAddress: (subnet: string) => hostAddress(subnet, 10),

  nodes: (subnet: string): Topology["nodes"] => [
    { name: "node1", address: hostAddress(subnet, 11), networkInterface: "host0" },
    { name: "node2", address: hostAddress(subnet, 12), networkInterface: "host0" },
  ],

  of: (stack: string, config: LabConfig): Topology => ({
    stack,
    target: "lab",
    system: "debian-13",
    nodes: labTopology.nodes(config.lab.subnet),
    initialPrimary: config.initialPrimary,
    hostname: config.hostname,
    endpoint: {
      kind: "virtualAddress",
      address: labTopology.virtualAddress(config.lab.subnet),
      prefixLength: 24,
    },
    serviceAddress: serviceAddressIn(config.docker.addressPool),
    dockerPool: config.docker.addressPool,
    storage: { kind: "mounted", path: "/mnt/harbor-ha" },
    record: recordPlaceOf(config, "/mnt/harbor-ha"),
    ...externalServers(config),
  }),
};
