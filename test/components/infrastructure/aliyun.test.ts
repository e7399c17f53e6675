import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { HarborCluster } from "../../../components/harbor-cluster.ts";
import { aliyunInfrastructure } from "../../../components/infrastructure/aliyun/aliyun.ts";
import type { Infrastructure } from "../../../components/infrastructure/infrastructure.ts";
import { targets } from "../../../components/infrastructure/targets.ts";
import { withManagedServers } from "../../../components/model/aliyun.ts";
import { operatorStatements } from "../../../components/model/aliyun-policies.ts";
import { type Item, items } from "../../../scripts/explain/items.ts";
import { optionsOf } from "../../../scripts/explain/options.ts";
import { aliyunOptions } from "../../../stacks/aliyun-config.ts";
import type { Options } from "../../../stacks/config.ts";
import { aliyunSample, ownNetwork, sampleConfig } from "../../support/sample.ts";
import { type Asked, graphOf, resolved } from "./graph.ts";

/** A whole stack, as its program builds it. */
async function stack(options: Options) {
  const { rootSecret, identity } = sampleConfig;
  const config = withManagedServers("prod", { ...options, rootSecret, identity });
  let infrastructure: Infrastructure | undefined;
  const make = await targets.aliyun();
  const { asked } = await graphOf(
    () =>
      new HarborCluster("prod", {
        config,
        infrastructure: (...args) => {
          infrastructure = make(...args);
          return infrastructure;
        },
      }),
  );
  if (!infrastructure || !options.aliyun) throw new Error("no pair in Alibaba Cloud");
  return { aliyun: options.aliyun, asked, built: infrastructure };
}

const example = (name: string) => optionsOf(join(import.meta.dirname, `../../../stacks/examples/aliyun-${name}.yaml`));
const minimal = await example("minimal");
const changed = (changes: object): Options => ({
  ...minimal,
  aliyun: aliyunOptions.parse({ ...minimal.aliyun, ...changes }),
});

/** The examples, and what they leave out. */
const variants: Record<string, Options> = {
  minimal,
  "managed-redis": await example("managed-redis"),
  managed: await example("managed"),
  clb: changed({ loadBalancer: { kind: "clb" } }),
  private: changed({ publicAddresses: false, loadBalancer: { public: false }, network: { existing: ownNetwork } }),
};
const cloud = (asked: Asked[]) => asked.filter(({ type }) => type.startsWith("alicloud:"));
const of = (asked: Asked[], kind: string) => cloud(asked).filter(({ type }) => type.endsWith(`:${kind}`));

const machines = (asked: Asked[]) => of(asked, "Instance").filter(({ type }) => type.includes("ecs/"));

/** Each is built once: the graph is what all tests look at. */
const graphs: Record<string, Asked[]> = {};
const explained: Record<string, Item[]> = {};
for (const [name, options] of Object.entries(variants)) {
  const { asked, aliyun } = await stack(options);
  graphs[name] = asked;
  explained[name] = items(aliyun, { images: 200, traffic: 100 });
}

describe.each(Object.keys(variants))("%s", (name) => {
  const asked = graphs[name] ?? [];

  // Reviewed like code: what stands here is what is paid for. `vitest -u` writes it anew.
  test("asks for what was reviewed", async () => {
    const text = cloud(asked)
      .map(({ type, name, inputs, protect, retain }) => {
        const held = [...(protect ? ["protected"] : []), ...(retain ? ["kept"] : [])].join(", ");
        return `${type} ${name}${held && ` (${held})`}\n${JSON.stringify(sorted(inputs), null, 2)}\n`;
      })
      .sort();
    await expect(text.join("\n")).toMatchFileSnapshot(join(import.meta.dirname, `../../golden/aliyun/${name}.txt`));
  });

  test("opens nothing but what was asked for", () => {
    const rules = of(asked, "SecurityGroupRule").map(({ inputs }) => inputs);
    expect(of(asked, "SecurityGroup").map(({ inputs }) => inputs.innerAccessPolicy)).toEqual(
      Array(name === "clb" ? 1 : 2).fill("Drop"),
    );
    for (const rule of rules) {
      expect(rule).toMatchObject({ type: "ingress", nicType: "intranet" });
      expect(rule.cidrIp).not.toBe("0.0.0.0/0");
      if (rule.portRange === "22/22") expect(aliyunSample.administrators).toContain(rule.cidrIp);
    }
  });

  test("keeps the database off the share, and every secret out of what is written in clear", () => {
    const commands = asked.filter(({ type }) => type.startsWith("command:remote"));
    const clear = commands.map(({ inputs }) => JSON.stringify(sorted(inputs)));
    expect(clear.length).toBeGreaterThan(15);
    for (const text of clear) {
      expect(text).not.toContain("made-by-the-cloud");
      expect(text).not.toContain(sampleConfig.rootSecret);
      expect(text).not.toMatch(/Hh0[A-Za-z0-9_-]{29}/);
      expect(text).not.toMatch(/data_directory[^,]*harbor-ha/);
    }
  });

  test("tells no secret, encrypts every disk and share, and uses two zones", () => {
    for (const { inputs } of cloud(asked)) {
      const text = JSON.stringify(inputs);
      expect(text).not.toContain(sampleConfig.rootSecret);
      expect(text).not.toContain("PRIVATE KEY");
      expect(inputs.userData).toBeUndefined();
    }
    expect(machines(asked).map(({ inputs }) => inputs.systemDiskEncrypted)).toEqual([true, true]);
    expect(of(asked, "EcsDisk").map(({ inputs }) => inputs.encrypted)).toEqual([true, true]);
    expect(of(asked, "EcsDisk").map(({ inputs }) => inputs.zoneId)).toEqual(aliyunSample.zones);
    expect(new Set(machines(asked).map(({ inputs }) => inputs.vswitchId)).size).toBe(2);
    for (const { inputs } of of(asked, "FileSystem")) expect(inputs.encryptType).toBe(1);
    for (const { inputs } of of(asked, "Bucket"))
      expect(inputs).toMatchObject({
        serverSideEncryptionRule: { sseAlgorithm: "AES256" },
        redundancyType: "ZRS",
        forceDestroy: false,
      });
    const closed = (kind: string, key: string) => of(asked, kind).map(({ inputs }) => inputs[key]);
    const buckets = of(asked, "Bucket").length;
    expect(closed("BucketAcl", "acl")).toEqual(Array(buckets).fill("private"));
    expect(closed("BucketPublicAccessBlock", "blockPublicAccess")).toEqual(Array(buckets).fill(true));
  });

  test("keeps the record where nothing is replaced, and without versions", () => {
    const [record] = of(asked, "Bucket").filter(({ name }) => name === "record");
    expect(record?.inputs.versioning).toBeUndefined();
    expect(of(asked, "BucketOverwriteConfig").map(({ inputs }) => inputs.rules)).toEqual([
      [expect.objectContaining({ action: "forbid", prefix: "record/" })],
    ]);
  });

  test("asks for nothing that the operator's policy does not know", () => {
    const services = new Set(
      operatorStatements("prod", { destroy: true }).flatMap(({ Action }) =>
        Action.map((action) => action.split(":")[0]),
      ),
    );
    const modules = cloud(asked).map(({ type }) => type.split(/[:/]/)[1]);
    expect([...new Set(modules)].filter((module) => !services.has(module))).toEqual([]);
  });

  test("explains everything that it makes, and nothing else", () => {
    const types = new Set((explained[name] ?? []).flatMap(({ types }) => types));
    expect(types).toEqual(new Set(cloud(asked).map(({ type }) => type)));
  });

  test("asks each node's agent how it is, and keeps a client with one node while images are on NFS", () => {
    const nfs = of(asked, "FileSystem").length > 0;
    const [nlb] = of(asked, "ServerGroup").filter(({ type }) => type.includes("nlb/"));
    if (nlb)
      expect(nlb.inputs).toMatchObject({
        scheduler: nfs ? "Sch" : "Wlc",
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
          /^(vpc|vswitch|securityGroup|instance|dbInstance|disk|keyPair|loadBalancer|serverGroup|accessGroup|address|role|policy)Name$/.test(
            key,
          )
        )
          expect(value).toMatch(/^harbor-ha-prod[a-z0-9-]{0,50}$/);
  });
});

test("is protected until somebody says otherwise, and open to everybody only when asked", async () => {
  // What holds data, what machines stand in, and what clients know by its address.
  const heldTypes =
    /:(Network|Switch|EcsDisk|EipAddress|LoadBalancer|ApplicationLoadBalancer|FileSystem|MountTarget|Bucket|Database)$|(ecs|rds|kvstore)\/instance:/;
  const keptTypes = /:(EcsDisk|FileSystem|Bucket\w*|Database)$|rds\/instance:/;
  const typesOf = (asked: Asked[]) => new Set(asked.map(({ type }) => type));
  for (const asked of Object.values(graphs).map(cloud)) {
    expect(typesOf(asked.filter(({ protect }) => protect))).toEqual(
      typesOf(asked.filter(({ type }) => heldTypes.test(type))),
    );
    expect(typesOf(asked.filter(({ retain }) => retain))).toEqual(
      typesOf(asked.filter(({ type }) => keptTypes.test(type))),
    );
  }
  const byTheCloud = (asked: Asked[]) =>
    cloud(asked).flatMap(({ inputs }) => inputs.deletionProtection ?? inputs.deletionProtectionEnabled ?? []);
  expect(byTheCloud(graphs.minimal ?? [])).toEqual([true, true, true, true, true]);
  const { asked: open } = await stack(changed({ protect: false, clients: ["0.0.0.0/0"] }));
  expect(byTheCloud(open)).toEqual([false, false, false, false, false]);
  expect(open.filter(({ protect, retain }) => protect || retain)).toEqual([]);
  const toAll = of(open, "SecurityGroupRule").filter(({ inputs }) => inputs.cidrIp === "0.0.0.0/0");
  expect(toAll.map(({ inputs }) => inputs.portRange)).toEqual(["443/443"]);
});

test("knows its files before the cloud has answered, and its logins and fence afterwards", async () => {
  const { built } = await stack(minimal);
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

describe("from one variant to another", () => {
  const holdsData = /:(FileSystem|EcsDisk|Bucket|Database)$|kvstore\/instance|rds\/instance|ecs\/instance/;
  const data = (name: string) =>
    new Map(
      (graphs[name] ?? [])
        .filter(({ type }) => holdsData.test(type))
        .map(({ type, name, inputs }) => [`${type} ${name}`, inputs] as const),
    );

  test.each([
    ["minimal", "managed-redis"],
    ["minimal", "managed"],
    ["managed-redis", "managed"],
    ["minimal", "clb"],
  ])("%s to %s: what holds data and stays is asked for as before", (from, to) => {
    const [before, after] = [data(from), data(to)];
    const staying = [...before.keys()].filter((key) => after.has(key));
    expect(staying.length).toBeGreaterThanOrEqual(6);
    for (const key of staying) expect(after.get(key), key).toEqual(before.get(key));
  });
});

test("the registry's key reaches the hosts' secrets alone, and Redis' and the database's passwords are derived", async () => {
  const { built, asked } = await stack(await example("managed"));
  const secrets = await Promise.all(
    (built.secrets ?? []).map(async ({ label, value }) => [label, await resolved(value)]),
  );
  expect(Object.fromEntries(secrets)).toEqual({
    "storage.accessKeyId": "registry",
    "storage.secretAccessKey": "made-by-the-cloud",
  });
  expect(built.topology).toMatchObject({
    storage: { kind: "oss", region: "cn-hangzhou", bucket: "harbor-ha-prod-images-k7m2pd" },
    database: { host: "postgres.prod.harbor-ha.internal", user: "harbor", name: "registry", sslMode: "require" },
    redis: { host: "redis.prod.harbor-ha.internal", port: 6379, tls: false },
  });
  const passwords = [
    of(asked, "Instance").find(({ type }) => type.includes("kvstore"))?.inputs.password,
    of(asked, "RdsAccount")[0]?.inputs.accountPassword,
  ];
  expect(new Set(passwords).size).toBe(2);
  for (const { value: password } of passwords as { value: string }[]) {
    // Three kinds of characters, 8 to 32 of them, and none on which Harbor breaks.
    expect(password).toMatch(/^[A-Za-z0-9_-]{8,32}$/);
    for (const kind of [/[A-Z]/, /[a-z]/, /[0-9]/]) expect(password).toMatch(kind);
  }
});

test("arguments of one's own have the last word on each resource, and a name that is none is refused", async () => {
  const wishes = {
    "alicloud:nlb:Listener nlb": { idleTimeout: 600 },
    "alicloud:ecs:EcsKeyPair login": { tags: { a: "b" } },
  };
  const { asked } = await stack(changed({ arguments: wishes }));
  expect(of(asked, "Listener")).toMatchObject([{ inputs: { idleTimeout: 600, listenerPort: 443 } }]);
  expect(of(asked, "EcsKeyPair")).toMatchObject([{ inputs: { tags: { a: "b" }, keyPairName: "harbor-ha-prod" } }]);
  await expect(stack(changed({ arguments: { "alicloud:ecs:Instance node3": {} } }))).rejects.toThrow(
    /no resource "alicloud:ecs:Instance node3": .* alicloud:ecs:Instance node1,/,
  );
});

test("a stack whose name the cloud would not take is refused before anything is made", async () => {
  const aliyun = aliyunOptions.parse(aliyunSample);
  const build = graphOf(() => {
    const parent = new pulumi.ComponentResource("test:index:Parent", "parent");
    return aliyunInfrastructure("Prod_EU", { ...sampleConfig, aliyun }, parent);
  });
  await expect(build).rejects.toThrow(/stack's name "Prod_EU" .* lower-case letters/);
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  // As the SDK hands a secret to the engine.
  if ("4dabf18193072939515e22adb298388d" in value) return "[secret]";
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
