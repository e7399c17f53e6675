import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatProblems, type Problem } from "../../components/model/problems.ts";
import { optionsOf } from "../../scripts/explain/options.ts";
import { readOptions } from "../../stacks/config.ts";
import { aliyunSample, ownNetwork } from "../support/sample.ts";

const installer = { file: "/tmp/harbor.tgz", sha256: "a".repeat(64) };

function problemsOf(changes: object): Problem[] {
  const values = { hostname: "registry.example.com", harbor: { installer }, ...changes };
  const result = readOptions(
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        `harbor-ha:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    ),
  );
  return "problems" in result ? result.problems : [];
}

const inCloud = (changes: object) => ({ target: "aliyun", aliyun: { ...aliyunSample, ...changes } });
const { bucketSuffix: _, ...withoutSuffix } = aliyunSample;
const hosts = {
  node1: { address: "10.0.0.11", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOne" },
  node2: { address: "10.0.0.12", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAITwo" },
  networkInterface: "eth0",
  virtualAddress: "10.0.0.10/24",
  fence: "none",
};
const jump = { host: "bastion.example.com", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAITwo" };
const redis = { instanceClass: "redis.master.small.default" };

test("little is needed: everything else has a default", () => {
  expect(problemsOf(inCloud({}))).toEqual([]);
  expect(problemsOf(inCloud({ network: { existing: ownNetwork }, publicAddresses: false, jump }))).toEqual([]);
  expect(problemsOf(inCloud({ images: "oss", redis, postgres: {} }))).toEqual([]);
});

test.each<[path: string, changes: object, words: string]>([
  ["aliyun", { target: "aliyun" }, "required for the target `aliyun`"],
  ["aliyun", { aliyun: aliyunSample }, "belongs to the target `aliyun`, but target is `lab`"],
  ["hosts", { ...inCloud({}), hosts }, "belongs to the target `hosts`, but target is `aliyun`"],
  ["storage", { ...inCloud({}), storage: { nfs: { server: "nas", export: "/" } } }, "the share is made by the stack"],
  [
    "record",
    {
      ...inCloud({}),
      record: {
        s3: {
          endpoint: "https://s3.example.com",
          bucket: "record",
          accessKeyId: "AKID",
          secretAccessKey: "secret-of-the-test",
        },
      },
    },
    "made by the stack",
  ],
  [
    "docker.addressPool",
    { ...inCloud({}), docker: { addressPool: "10.77.0.0/16" } },
    "overlaps the switch 10.77.1.0/24",
  ],
  ["aliyun.region", inCloud({ region: "Hangzhou" }), "must be a region's id"],
  ["aliyun.zones.1", inCloud({ zones: ["cn-hangzhou-j", "cn-hangzhou-j"] }), "both nodes would be gone"],
  ["aliyun.zones.0", inCloud({ zones: ["cn-beijing-a", "cn-hangzhou-k"] }), "is not in cn-hangzhou"],
  ["aliyun.instanceType", inCloud({ instanceType: "e-c1m2.large" }), "must be an instance type"],
  ["aliyun.diskCategory", inCloud({ diskCategory: "ssd" }), "cloud_essd"],
  ["aliyun.systemDiskGb", inCloud({ systemDiskGb: 1 }), "20"],
  ["aliyun.dataDiskGb", inCloud({ dataDiskGb: 40_000 }), "32768"],
  ["aliyun.administrators", inCloud({ administrators: [] }), "at least one network from which SSH"],
  ["aliyun.administrators.0", inCloud({ administrators: ["0.0.0.0/0"] }), "too wide"],
  ["aliyun.clients", inCloud({ clients: ["203.0.113.0/24", "203.0.113.0/24"] }), "names a network twice"],
  ["aliyun.privateKeyFile", inCloud({ privateKeyFile: "/nowhere" }), "there is no file /nowhere"],
  ["hostname", { ...inCloud({}), hostname: "203.0.113.9" }, "must be a name"],
  ["aliyun.clients.0", inCloud({ clients: ["203.0.113.7"] }), "a.b.c.d/n"],
  ["aliyun.clients.0", inCloud({ clients: ["203.0.113.7/24"] }), "bits set beyond its prefix /24"],
  ["aliyun.clients.0", inCloud({ clients: ["203.0.300.0/24"] }), "too big"],
  [
    "aliyun.publicKey",
    inCloud({ publicKey: "-----BEGIN OPENSSH PRIVATE KEY-----" }),
    "must be an RSA or ECDSA public key",
  ],
  ["aliyun.publicKey", inCloud({ publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample" }), "ssh-keygen -t rsa"],
  ["aliyun.network.cidr", inCloud({ network: { cidr: "10.77.1.0/24" } }), "must be a /16 network"],
  ["aliyun.network.cidr", inCloud({ network: { cidr: "8.8.0.0/16" } }), "must be a private network"],
  [
    "aliyun.network.existing.addresses.1",
    inCloud({ network: { existing: { ...ownNetwork, addresses: ["192.168.3.20", "192.168.3.21"] } } }),
    "192.168.3.21 is not in 192.168.4.0/24",
  ],
  [
    "aliyun.network.existing.vpc",
    inCloud({ network: { existing: { ...ownNetwork, vpc: "my-network" } } }),
    "must be the id of a VPC",
  ],
  [
    "aliyun.network.existing.cidrs.1",
    inCloud({ network: { existing: { ...ownNetwork, cidrs: ["192.168.0.0/16", "192.168.4.0/24"] } } }),
    "overlaps the network of node1",
  ],
  ["aliyun.loadBalancer.kind", inCloud({ loadBalancer: { kind: "alb" } }), "nlb"],
  ["aliyun.tags.acs:x", inCloud({ tags: { "acs:x": "1" } }), "no tag's name"],
  ["aliyun.jump", inCloud({ jump }), "addresses of their own"],
  ["aliyun.bucketSuffix", { target: "aliyun", aliyun: withoutSuffix }, "required, but not set"],
  ["aliyun.bucketSuffix", inCloud({ bucketSuffix: "Prod_1" }), "4 to 12 lower-case letters and digits"],
  ["aliyun.images", inCloud({ images: "disk" }), "nas"],
  ["aliyun.redis.instanceClass", inCloud({ redis: { instanceClass: "small" } }), "a class of instances"],
  ["aliyun.redis.version", inCloud({ redis: { ...redis, version: "5.0" } }), "6.0"],
  [
    "aliyun.redis",
    { ...inCloud({ redis }), redis: { external: { host: "redis", password: "Password1" } } },
    "keep one",
  ],
  ["aliyun.postgres.storageGb", inCloud({ postgres: { storageGb: 51 } }), "multiple of 5"],
  [
    "aliyun.postgres",
    { ...inCloud({ postgres: {} }), postgres: { external: { host: "db", user: "harbor", password: "Password1" } } },
    "keep one",
  ],
])("%s %j", (path, changes, words) => {
  const problems = problemsOf(changes);
  expect(problems).toEqual([expect.objectContaining({ path, remedy: expect.stringMatching(/./) })]);
  expect(formatProblems(problems)).toContain(words);
});

test("clients at an address instead of a name are told", () => {
  expect(problemsOf({ ...inCloud({}), hostname: "198.51.100.3" }).map(({ path }) => path)).toContain("hostname");
});

describe("the examples", () => {
  const directory = join(import.meta.dirname, "../../stacks/examples");
  test.each(readdirSync(directory))("%s is a whole stack file", async (file) => {
    expect(await optionsOf(join(directory, file))).toMatchObject({ hostname: expect.stringMatching(/./) });
  });
});
