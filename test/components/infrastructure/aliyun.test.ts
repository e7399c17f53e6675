import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { aliyunInfrastructure } from "../../../components/infrastructure/aliyun/aliyun.ts";
import { aliyunOptions } from "../../../stacks/aliyun-config.ts";
import { sampleConfig } from "../../support/sample.ts";
import { type Asked, graphOf, resolved } from "./graph.ts";

const minimal = {
  region: "cn-hangzhou",
  zones: ["cn-hangzhou-j", "cn-hangzhou-k"],
  image: "debian_12_11_x64_20G_alibase_20260801.vhd",
  administrators: ["203.0.113.7/32"],
  clients: ["203.0.113.0/24"],
  publicKey: "ssh-ed25519 AAAAsample",
};

async function infrastructure(changes: object = {}) {
  const aliyun = aliyunOptions.parse({ ...minimal, ...changes });
  const config = { ...sampleConfig, target: "aliyun" as const, aliyun };
  const { asked, built } = await graphOf(() => {
    const parent = new pulumi.ComponentResource("test:index:Parent", "parent");
    return aliyunInfrastructure("prod", config, parent);
  });
  return { asked, built };
}

const variants: Record<string, object> = {
  minimal: {},
  clb: { loadBalancer: { kind: "clb" } },
  private: {
    publicAddresses: false,
    loadBalancer: { public: false },
    network: {
      existing: {
        vpc: "vpc-bp1aaaa",
        switches: ["vsw-bp1aaaa", "vsw-bp1bbbb"],
        cidrs: ["192.168.3.0/24", "192.168.4.0/24"],
        addresses: ["192.168.3.20", "192.168.4.20"],
      },
    },
  },
};
const cloud = (asked: Asked[]) => asked.filter(({ type }) => type.startsWith("alicloud:"));
const of = (asked: Asked[], kind: string) => cloud(asked).filter(({ type }) => type.endsWith(`:${kind}`));

/** Each is built once: the graph is what all tests look at. */
const graphs: Record<string, Asked[]> = {};
for (const [name, changes] of Object.entries(variants)) graphs[name] = (await infrastructure(changes)).asked;

describe.each(Object.keys(variants))("%s", (name) => {
  const asked = graphs[name] ?? [];

  // Reviewed like code: what stands here is what is paid for. `vitest -u` writes it anew.
  test("asks for what was reviewed", async () => {
    const text = cloud(asked)
      .map(({ type, name, inputs }) => `${type} ${name}\n${JSON.stringify(sorted(inputs), null, 2)}\n`)
      .sort();
    await expect(text.join("\n")).toMatchFileSnapshot(join(import.meta.dirname, `../../golden/aliyun/${name}.txt`));
  });

  test("opens nothing but what was asked for", () => {
    const rules = of(asked, "SecurityGroupRule").map(({ inputs }) => inputs);
    expect(of(asked, "SecurityGroup")).toMatchObject([{ inputs: { innerAccessPolicy: "Drop" } }]);
    for (const rule of rules) {
      expect(rule).toMatchObject({ type: "ingress", nicType: "intranet" });
      expect(rule.cidrIp).not.toBe("0.0.0.0/0");
      if (rule.portRange === "22/22") expect(minimal.administrators).toContain(rule.cidrIp);
    }
  });

  test("tells no secret, encrypts every disk and share, and uses two zones", () => {
    for (const { inputs } of cloud(asked)) {
      const text = JSON.stringify(inputs);
      expect(text).not.toContain(sampleConfig.rootSecret);
      expect(text).not.toContain("PRIVATE KEY");
      expect(inputs.userData).toBeUndefined();
    }
    expect(of(asked, "Instance").map(({ inputs }) => inputs.systemDiskEncrypted)).toEqual([true, true]);
    expect(of(asked, "EcsDisk").map(({ inputs }) => inputs.encrypted)).toEqual([true, true]);
    expect(of(asked, "EcsDisk").map(({ inputs }) => inputs.zoneId)).toEqual(minimal.zones);
    expect(new Set(of(asked, "Instance").map(({ inputs }) => inputs.vswitchId)).size).toBe(2);
    expect(of(asked, "FileSystem").map(({ inputs }) => inputs.encryptType)).toEqual([1]);
  });

  test("asks each node's agent how it is, and keeps a client with one node while images are on NFS", () => {
    const [nlb] = of(asked, "ServerGroup").filter(({ type }) => type.includes("nlb/"));
    if (nlb)
      expect(nlb.inputs).toMatchObject({
        scheduler: "Sch",
        healthCheck: { healthCheckType: "HTTP", healthCheckUrl: "/endpoint", healthCheckConnectPort: 8008 },
      });
    else
      expect(of(asked, "Listener")[0]?.inputs).toMatchObject({
        frontendPort: 443,
        persistenceTimeout: 3600,
        healthCheckType: "http",
        healthCheckUri: "/endpoint",
        healthCheckConnectPort: 8008,
      });
  });

  test("everything has a name within limits that begins with the toolkit's", () => {
    for (const { inputs } of cloud(asked))
      for (const [key, value] of Object.entries(inputs))
        if (
          /^(vpc|vswitch|securityGroup|instance|disk|keyPair|loadBalancer|serverGroup|accessGroup|address)Name$/.test(
            key,
          )
        )
          expect(value).toMatch(/^harbor-ha-prod[a-z0-9-]{0,50}$/);
  });
});

test("is protected until somebody says otherwise, and open to everybody only when asked", async () => {
  const protection = (asked: Asked[]) => [
    ...of(asked, "Instance").map(({ inputs }) => inputs.deletionProtection),
    ...of(asked, "EipAddress").map(({ inputs }) => inputs.deletionProtection),
    ...of(asked, "LoadBalancer").map(({ inputs }) => inputs.deletionProtectionEnabled),
  ];
  expect(protection(graphs.minimal ?? [])).toEqual([true, true, true, true, true]);
  const { asked: open } = await infrastructure({ protect: false, clients: ["0.0.0.0/0"] });
  expect(protection(open)).toEqual([false, false, false, false, false]);
  const toAll = of(open, "SecurityGroupRule").filter(({ inputs }) => inputs.cidrIp === "0.0.0.0/0");
  expect(toAll.map(({ inputs }) => inputs.portRange)).toEqual(["8443/8443"]);
});

test("knows its files before the cloud has answered, and its logins and fence afterwards", async () => {
  const { built } = await infrastructure();
  expect(built.topology).toMatchObject({
    nodes: [
      { name: "node1", address: "10.77.1.11" },
      { name: "node2", address: "10.77.2.11" },
    ],
    endpoint: { kind: "loadBalancer" },
    storage: { kind: "nfs", server: "nas.prod.harbor-ha.internal", version: "4.0" },
  });
  const { node1, node2 } = built.access;
  if (!node1 || !node2) throw new Error("no logins");
  expect(await resolved(node1)).toMatchObject({ host: "198.51.100.1", port: 22, hostKey: "ssh-ed25519 AAAAhost" });
  expect(await resolved(node2)).toMatchObject({ host: "198.51.100.2" });
  expect(await resolved(built.fence)).toEqual({
    kind: "aliyun",
    region: "cn-hangzhou",
    instances: { node1: "i-bp1node1", node2: "i-bp1node2" },
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
