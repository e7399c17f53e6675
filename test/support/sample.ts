import type { Inventory } from "../../components/model/inventory.ts";
import { labTopology } from "../../components/model/lab.ts";
import type { RecordEntry } from "../../components/model/record.ts";
import type { Config } from "../../stacks/config.ts";

const pem = (what: string, kind = "CERTIFICATE") =>
  `-----BEGIN ${kind}-----\n${Buffer.from(`sample ${what}`).toString("base64")}\n-----END ${kind}-----\n`;

/** A stack's configuration with fixed values, as `readConfig` returns it; its secrets are of this sample alone. */
export const sampleConfig: Config = {
  hostname: "registry.example.com",
  target: "lab",
  lab: { subnet: "10.231.77.0/24" },
  storage: { path: "/mnt/harbor-ha" },
  nodes: { node1: { absent: false }, node2: { absent: false } },
  initialPrimary: "node1",
  postgres: {
    maxConnections: 300,
    sharedBuffersMb: 512,
    maxSlotWalKeepMb: 4096,
    durability: "available",
    degradeAfterSeconds: 5,
    settings: { work_mem: "8MB", max_worker_processes: 16, jit: false },
  },
  pgbouncer: { poolSize: 60 },
  redis: { maxMemoryMb: 768 },
  harbor: {
    version: "2.15.2",
    installer: { url: "https://files.example.com/harbor-offline-installer-v2.15.2.tgz", sha256: "5a".repeat(32) },
    logLevel: "warning",
    maxJobWorkers: 12,
    garbageCollection: "0 0 3 * * 6",
    auditRetentionDays: 90,
  },
  docker: { addressPool: "172.30.0.0/16" },
  rootSecret: "Sample-root-secret-of-the-unit-tests-only",
  identity: {
    tokenKey: pem("token key", "RSA PRIVATE KEY"),
    tokenCertificate: pem("token certificate"),
    caKey: pem("CA key", "PRIVATE KEY"),
    caCertificate: pem("CA certificate"),
    certificate: pem("endpoint certificate"),
    privateKey: pem("endpoint key", "PRIVATE KEY"),
    internalCertificate: pem("internal certificate"),
    internalKey: pem("internal key", "PRIVATE KEY"),
  },
};

/** What the target `aliyun` cannot do without. */
export const aliyunSample = {
  region: "cn-hangzhou",
  zones: ["cn-hangzhou-j", "cn-hangzhou-k"],
  image: "debian_12_11_x64_20G_alibase_20260801.vhd",
  administrators: ["203.0.113.7/32"],
  clients: ["203.0.113.0/24"],
  publicKey: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABExample",
  bucketSuffix: "k7m2pd",
};

/** A network of one's own for it. */
export const ownNetwork = {
  vpc: "vpc-bp1aaaa",
  switches: ["vsw-bp1aaaa", "vsw-bp1bbbb"],
  cidrs: ["192.168.3.0/24", "192.168.4.0/24"],
  addresses: ["192.168.3.20", "192.168.4.20"],
};

/** The pair of such a stack. */
export function sampleInventory(config: Config = sampleConfig): Inventory {
  const topology = labTopology.of("sample", config);
  const { version, installer } = config.harbor;
  return {
    format: 1,
    topology,
    access: Object.fromEntries(
      topology.nodes.map(({ name, address }) => [
        name,
        {
          host: address,
          port: 22,
          user: "root",
          hostKey: `ssh-ed25519 sample-key-of-${name}`,
          identityFile: "/home/operator/.ssh/sample",
        },
      ]),
    ),
    fence: { kind: "lab" },
    harbor: { version, installer },
  };
}

/** An entry of the record: node1 is the primary, node2 holds everything. */
export const sampleEntry = (changes: Partial<RecordEntry> = {}): RecordEntry => ({
  epoch: 5,
  kind: "synced",
  primary: "node1",
  sync: ["node2"],
  systemIdentifier: "7",
  timeline: 3,
  by: "somebody",
  at: "2026-11-21T00:00:00Z",
  token: "token-of-the-entry",
  ...changes,
});
