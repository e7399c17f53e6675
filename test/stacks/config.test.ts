import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { formatProblems, type Problem } from "../../components/model/problems.ts";
import { ownedSettings } from "../../components/services/postgres/settings.ts";
import { type Identity, makeIdentity } from "../../scripts/init/identity.ts";
import { makeRootSecret } from "../../scripts/init/make-secret.ts";
import { type RawConfig, readConfig } from "../../stacks/config.ts";
import { certificateFor } from "../support/certificate.ts";

const hostname = "registry.example.com";
const rootSecret = makeRootSecret();
const installer = { file: "/tmp/harbor.tgz", sha256: "a".repeat(64) };
let identity: Identity;

beforeAll(async () => {
  identity = await makeIdentity(hostname);
});

/** The configuration that `init` makes, with changes: as Pulumi hands it over, objects as JSON. An undefined option is left out. */
function raw(changes: Record<string, unknown> = {}): RawConfig {
  const values = { hostname, rootSecret, identity, harbor: { installer }, ...changes };
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [`harbor-ha:${key}`, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

const harbor = (changes: object) => ({ harbor: { installer, ...changes } });

const hosts = {
  node1: { address: "10.0.0.11", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOne" },
  node2: { address: "10.0.0.12", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAITwo" },
  networkInterface: "eth0",
  virtualAddress: "10.0.0.10/24",
  fence: "none",
};
const bucket = {
  endpoint: "https://s3.example.com",
  bucket: "record",
  accessKeyId: "AKID",
  secretAccessKey: "secret-of-the-test",
};
/** A pair on machines of one's own, with changes. */
const database = { host: "db.example.com", user: "harbor", password: "Password1" };
const ecs = (changes: object) => ({
  fence: { aliyun: { region: "cn-hangzhou", node1: "i-bp1aaaa", node2: "i-bp1bbbb", ...changes } },
});
const pair = (changes: object) => ({ target: "hosts", hosts: { ...hosts, ...changes } });

function problemsOf(changes: Record<string, unknown>): Problem[] {
  const result = readConfig(raw(changes));
  return "problems" in result ? result.problems : [];
}

describe("a configuration with only what init makes", () => {
  test("is complete: everything else has a default", () => {
    const result = readConfig(raw());
    expect(result).toEqual({
      config: {
        hostname,
        rootSecret,
        identity,
        target: "lab",
        storage: { path: "/mnt/harbor-ha" },
        lab: { subnet: "10.231.77.0/24" },
        nodes: { node1: { absent: false }, node2: { absent: false } },
        initialPrimary: "node1",
        postgres: {
          maxConnections: 200,
          sharedBuffersMb: 256,
          maxSlotWalKeepMb: 2048,
          durability: "available",
          degradeAfterSeconds: 5,
          settings: {},
        },
        pgbouncer: { poolSize: 40 },
        redis: { maxMemoryMb: 512 },
        harbor: {
          version: "2.15.2",
          installer,
          logLevel: "info",
          maxJobWorkers: 10,
          garbageCollection: "0 0 3 * * 6",
          auditRetentionDays: 365,
        },
        docker: { addressPool: "172.30.0.0/16" },
      },
    });
  });

  test("is read as Pulumi hands it over: objects as JSON texts, other projects' options left alone", () => {
    const result = readConfig({
      ...raw(),
      "harbor-ha:postgres": '{"maxConnections":300,"settings":{"work_mem":"8MB","jit":false,"max_parallel_workers":4}}',
      "aws:region": "nowhere",
    });
    expect(result).toHaveProperty("config.postgres.maxConnections", 300);
    expect(result).toHaveProperty("config.postgres.settings", { work_mem: "8MB", jit: false, max_parallel_workers: 4 });
    expect(result).not.toHaveProperty("problems");
  });

  test.each(["none", "ipmitool … power off", ecs({}).fence, ecs({ endpoint: "https://ecs-vpc.example.com" }).fence])(
    "may fence by %j",
    (fence) => expect(readConfig(raw(pair({ fence })))).toHaveProperty("config.hosts.fence", fence),
  );

  test("may have another project name, when the program was copied", () => {
    const renamed = Object.entries(raw()).map(([key, value]) => [key.replace("harbor-ha:", "registry:"), value]);
    expect(readConfig(Object.fromEntries(renamed), "registry")).toHaveProperty("config.hostname", hostname);
  });
});

/** What is changed; path, reason and remedy that come out. */
/** `count`: how many problems it has, one of them this. */
type BadConfiguration = [
  changes: Record<string, unknown>,
  path: string,
  reason: RegExp | string,
  remedy: RegExp | string,
  count?: number,
];

const badConfigurations: Record<string, BadConfiguration[]> = {
  "an unknown option": [
    [{ hostnme: "x" }, "hostnme", "unknown option", "did you mean `hostname`?"],
    [{ postgres: { maxConections: 1 } }, "postgres.maxConections", "unknown option", "did you mean `maxConnections`?"],
    [harbor({ LogLevel: "info" }), "harbor.LogLevel", "unknown option", "did you mean `logLevel`?"],
    [
      { harbor: { installer: { ...installer, sha265: "" } } },
      "harbor.installer.sha265",
      "unknown option",
      "did you mean `sha256`?",
    ],
    [{ lab: { network: "10.0.0.0/24" } }, "lab.network", "unknown option", "remove it; known here: subnet"],
    [{ redis: { eviction: true } }, "redis.eviction", "unknown option", "remove it; known here: maxMemoryMb"],
  ],
  "a missing option": [
    [{ hostname: undefined }, "hostname", "required, but not set", "pulumi config set harbor-ha:hostname <value>"],
    [{ rootSecret: undefined }, "rootSecret", "required, but not set", "run `npx harbor-ha init`"],
    [{ identity: undefined }, "identity", "required, but not set", "run `npx harbor-ha init`"],
    [{ harbor: undefined }, "harbor", "required, but not set", /^run `npx harbor-ha init --installer-file/],
    [
      { harbor: { installer: { file: "x" } } },
      "harbor.installer.sha256",
      "required, but not set",
      "pulumi config set --path harbor-ha:harbor.installer.sha256 <value>",
    ],
    [
      { tls: { certificate: "x" } },
      "tls.privateKey",
      "required, but not set",
      "pulumi config set --secret --path harbor-ha:tls.privateKey",
    ],
  ],
  "a wrong type": [
    [
      { postgres: { maxConnections: "200" } },
      "postgres.maxConnections",
      "must be a number",
      /postgres.maxConnections <value>$/,
    ],
    [{ postgres: { maxConnections: 200.5 } }, "postgres.maxConnections", "must be a whole number", /./],
    [
      { postgres: "300" },
      "postgres",
      /must be an object/,
      "pulumi config set --path harbor-ha:postgres.<option> <value>",
    ],
    [{ postgres: "{broken json" }, "postgres", /must be an object/, /./],
    [{ postgres: { settings: [] } }, "postgres.settings", /must be an object of names and values/, /./],
    [
      { postgres: { settings: { work_mem: null } } },
      "postgres.settings.work_mem",
      "must be string, number or boolean",
      /./,
    ],
    [harbor({ adminPassword: 12345678 }), "harbor.adminPassword", /must be a text \(in quotes/, /--secret --path/],
  ],
  "a value out of range": [
    [{ postgres: { maxConnections: 20 } }, "postgres.maxConnections", "must be at least 50", /./],
    [{ postgres: { maxConnections: 9000 } }, "postgres.maxConnections", "must be at most 2000", /./],
    [{ postgres: { sharedBuffersMb: 1 } }, "postgres.sharedBuffersMb", "must be at least 16", /./],
    [{ postgres: { maxSlotWalKeepMb: 0 } }, "postgres.maxSlotWalKeepMb", "must be at least 256", /./],
    [{ pgbouncer: { poolSize: 1 } }, "pgbouncer.poolSize", "must be at least 5", /./],
    [{ redis: { maxMemoryMb: 1 } }, "redis.maxMemoryMb", "must be at least 64", /./],
    [harbor({ maxJobWorkers: 101 }), "harbor.maxJobWorkers", "must be at most 100", /./],
    [harbor({ logLevel: "trace" }), "harbor.logLevel", "must be one of debug, info, warning, error, fatal", /./],
    [harbor({ garbageCollection: "weekly" }), "harbor.garbageCollection", /six cron fields/, /./],
    [harbor({ auditRetentionDays: -1 }), "harbor.auditRetentionDays", "must be at least 0", /./],
    [harbor({ version: "2.12.4" }), "harbor.version", /2\.13 to 2\.15/, /./],
    [harbor({ version: "2.15" }), "harbor.version", /e\.g\. 2\.15\.2/, /./],
    [{ target: "aws" }, "target", "must be one of lab", /./],
    [{ nodes: { node1: { absent: true }, node2: { absent: true } } }, "nodes", "cannot both be absent", /./],
    [{ nodes: { node3: { absent: true } } }, "nodes.node3", "unknown option", /./],
    [{ nodes: { node2: { absent: "yes" } } }, "nodes.node2.absent", "must be true or false", /./],
    [{ record: {} }, "record.s3", "required, but not set", /record\.s3/],
    [{ record: { s3: { ...bucket, bucket: undefined } } }, "record.s3.bucket", "required, but not set", /./],
    [{ record: { s3: { ...bucket, bucket: "My_Bucket" } } }, "record.s3.bucket", "must be a bucket's name", /./],
    [{ record: { s3: { ...bucket, endpoint: "s3.example.com" } } }, "record.s3.endpoint", /URL/, /./],
    [{ record: { s3: { ...bucket, prefix: "/a/" } } }, "record.s3.prefix", /with \/ in between/, /./],
    [
      { record: { s3: { ...bucket, secretAccessKey: undefined } } },
      "record.s3.secretAccessKey",
      "required, but not set",
      /--secret --path/,
    ],
    [{ initialPrimary: "node3" }, "initialPrimary", "must be one of node1, node2", /./],
  ],
  "a host name that Harbor refuses or clients cannot use": [
    [{ hostname: "localhost" }, "hostname", /Harbor refuses a loopback name/, /./],
    [{ hostname: "127.0.0.1" }, "hostname", /Harbor refuses a loopback name/, /./],
    [{ hostname: "reg.mydomain.com" }, "hostname", /Harbor's own example/, /./],
    [{ hostname: "https://registry.example.com" }, "hostname", /without scheme, port or path/, /./],
    [{ hostname: "registry.example.com:443" }, "hostname", /without scheme, port or path/, /./],
    [{ hostname: "registry.example.com/harbor" }, "hostname", /without scheme, port or path/, /./],
    [{ hostname: "Registry.example.com" }, "hostname", /in lower case/, /./],
    [{ hostname: "-registry.example.com" }, "hostname", /must be a DNS name/, /./],
    [{ hostname: "my_registry" }, "hostname", /must be a DNS name/, /./],
    [{ hostname: "" }, "hostname", /must be a DNS name/, /./],
    [{ hostname: `${"a".repeat(64)}.example.com` }, "hostname", /must be a DNS name/, /./],
    [{ hostname: "fd00::10" }, "hostname", /IPv6 is not supported/, /./],
    [{ hostname: "10.231.77.300" }, "hostname", /neither an IPv4 address nor a DNS name/, /./],
  ],
  "a network": [
    [{ lab: { subnet: "10.231.77.0" } }, "lab.subnet", "must be an IPv4 network written as a.b.c.d/24", /./],
    [{ lab: { subnet: "10.231.77.0/16" } }, "lab.subnet", "must be an IPv4 network written as a.b.c.d/24", /./],
    [{ lab: { subnet: "fd00::/24" } }, "lab.subnet", /must be an IPv4 network/, /./],
    [{ lab: { subnet: "10.231.77.5/24" } }, "lab.subnet", "must end in zeros: 10.231.77.0/24", /./],
    [{ lab: { subnet: "8.8.8.0/24" } }, "lab.subnet", /must be a private network/, /./],
    [{ docker: { addressPool: "172.30.0.0/24" } }, "docker.addressPool", /written as a\.b\.c\.d\/16/, /./],
    [{ docker: { addressPool: "172.32.0.0/16" } }, "docker.addressPool", /must be a private network/, /./],
    [
      { docker: { addressPool: "10.231.0.0/16" } },
      "docker.addressPool",
      "10.231.0.0/16 contains lab.subnet 10.231.77.0/24",
      "choose another private /16 network",
    ],
  ],
  "an installer": [
    [
      { harbor: { installer: { ...installer, sha256: "A".repeat(64) } } },
      "harbor.installer.sha256",
      /64 hexadecimal/,
      /./,
    ],
    [{ harbor: { installer: { ...installer, sha256: "abc" } } }, "harbor.installer.sha256", /64 hexadecimal/, /./],
    [
      { harbor: { installer: { ...installer, url: "https://example.com/x.tgz" } } },
      "harbor.installer",
      "needs exactly one of `file` and `url`",
      /./,
    ],
    [{ harbor: { installer: { sha256: installer.sha256 } } }, "harbor.installer", /exactly one/, /./],
    [
      { harbor: { installer: { url: "ftp://example.com/x.tgz", sha256: installer.sha256 } } },
      "harbor.installer.url",
      /URL/,
      /./,
    ],
  ],
  "a secret": [
    [
      { rootSecret: "short" },
      "rootSecret",
      "must have at least 32 characters",
      "pulumi config set --secret harbor-ha:rootSecret",
    ],
    [{ rootSecret: `a%${"x".repeat(40)}` }, "rootSecret", /only letters, digits, `_` and `-`/, /--secret/],
    [{ rootSecret: `1${"x".repeat(40)}` }, "rootSecret", /begin with a letter/, /--secret/],
    [harbor({ adminPassword: "pass word!" }), "harbor.adminPassword", /only letters, digits/, /--secret --path/],
    [harbor({ adminPassword: "short" }), "harbor.adminPassword", "must have at least 8 characters", /--secret --path/],
  ],
  "options that do not fit together": [
    [
      { pgbouncer: { poolSize: 100 } },
      "pgbouncer.poolSize",
      /two nodes with 100 connections each \(and 20 for operations\) exceed postgres.maxConnections = 200/,
      "lower pgbouncer.poolSize or raise postgres.maxConnections",
    ],
    [{ hostname: "10.231.77.11" }, "hostname", /not the virtual address of the lab/, "use a name, or 10.231.77.10"],
    [
      { hostname: "other.example.com" },
      "hostname",
      "the certificate that `init` made does not name other.example.com",
      /set tls/,
    ],
  ],
  "machines of yours": [
    [{ target: "hosts" }, "hosts", "required for the target `hosts`, but not set", /docs\/config\.md/],
    [{ hosts }, "hosts", /target is `lab`/, "set target to hosts, or remove hosts"],
    [{ storage: { path: "/srv/share" } }, "storage", /on the lab/, /./],
    [pair({ fence: undefined }), "hosts.fence", "required, but not set", /hosts\.fence/],
    [pair({ fence: "" }), "hosts.fence", "must be a shell command, or none", /./],
    [pair({ fence: false }), "hosts.fence", "must be string or object", /./],
    [pair({ fence: {} }), "hosts.fence.aliyun", "required, but not set", /hosts\.fence\.aliyun\.<option>/],
    [pair({ fence: { aws: {} } }), "hosts.fence.aws", "unknown option", /aliyun/, 2],
    [pair(ecs({ region: undefined })), "hosts.fence.aliyun.region", "required, but not set", /aliyun\.region <value>/],
    [pair(ecs({ region: "Hangzhou" })), "hosts.fence.aliyun.region", /e\.g\. cn-hangzhou/, /./],
    [pair(ecs({ node2: undefined })), "hosts.fence.aliyun.node2", "required, but not set", /./],
    [pair(ecs({ node1: "bp1aaaa" })), "hosts.fence.aliyun.node1", /ECS instance's id/, /./],
    [
      pair(ecs({ node2: "i-bp1aaaa" })),
      "hosts.fence.aliyun.node2",
      "i-bp1aaaa is the instance of node1 too",
      /its own/,
    ],
    [pair(ecs({ endpoint: "http://ecs.example.com" })), "hosts.fence.aliyun.endpoint", /https:/, /./],
    [pair(ecs({ accessKeyId: "AKID" })), "hosts.fence.aliyun.accessKeyId", "unknown option", /known here: region/],
    [pair(ecs({ regoin: "cn-hangzhou" })), "hosts.fence.aliyun.regoin", "unknown option", /mean `region`/],
    [pair(ecs({ region: "", node1: "", node2: "" })), "hosts.fence.aliyun.region", /./, /./, 3],
    [pair({ node2: undefined }), "hosts.node2", "required, but not set", /hosts\.node2/],
    [pair({ node1: { ...hosts.node1, address: "host1" } }), "hosts.node1.address", "must be an IPv4 address", /./],
    [pair({ node1: { address: "10.0.0.11" } }), "hosts.node1.hostKey", "required, but not set", /./],
    [pair({ node1: { ...hosts.node1, hostKey: "SHA256:abc" } }), "hosts.node1.hostKey", /ssh-keyscan/, /./],
    [pair({ node2: { ...hosts.node2, sshPort: 0 } }), "hosts.node2.sshPort", "must be at least 1", /./],
    [
      pair({ node2: { ...hosts.node2, address: "10.0.0.11", sshHost: "two" } }),
      "hosts.node2.address",
      "10.0.0.11 is the address of node1 too",
      "give each machine its own",
    ],
    [
      pair({ node1: { ...hosts.node1, sshHost: "gate" }, node2: { ...hosts.node2, sshHost: "gate" } }),
      "hosts.node2.sshHost",
      "SSH would reach node1 there",
      /its own/,
    ],
    [pair({ user: "Robert'); --" }), "hosts.user", "must be a Linux user's name", /./],
    [pair({ privateKeyFile: "id_ed25519" }), "hosts.privateKeyFile", "must be an absolute path", /./],
    [pair({ privateKeyFile: "/no/such/key" }), "hosts.privateKeyFile", /no such file/, /./],
    [pair({ virtualAddress: undefined }), "hosts", /exactly one of `virtualAddress` and `loadBalancer`/, /./],
    [pair({ loadBalancer: {} }), "hosts", /exactly one of `virtualAddress` and `loadBalancer`/, /./],
    [pair({ virtualAddress: "10.0.0.10" }), "hosts.virtualAddress", /with its prefix length/, /./],
    [pair({ virtualAddress: "10.0.0.11/24" }), "hosts.virtualAddress", "10.0.0.11 is the address of node1", /./],
    [pair({ virtualAddress: "10.0.1.10/24" }), "hosts.virtualAddress", /not in the network of node1/, /./, 2],
    [pair({ networkInterface: undefined }), "hosts.networkInterface", /on node1/, /ip -brief address/, 2],
    [
      pair({ virtualAddress: undefined, loadBalancer: { drainSeconds: 0 } }),
      "hosts.loadBalancer.drainSeconds",
      "must be at least 1",
      /./,
    ],
    [pair({ jump: { host: "gate" } }), "hosts.jump.hostKey", "required, but not set", /./],
    [{ ...pair({}), hostname: "10.0.0.99" }, "hostname", "10.0.0.99 is not hosts.virtualAddress", /10\.0\.0\.10/, 2],
    [
      { ...pair({}), docker: { addressPool: "10.0.0.0/16" } },
      "hosts.node1.address",
      "10.0.0.11 lies in docker.addressPool 10.0.0.0/16",
      "choose another docker.addressPool",
      3,
    ],
    [{ ...pair({}), storage: { s3: bucket } }, "record.s3", /no shared directory/, /bucket of its own/],
    [
      { ...pair({}), storage: { s3: bucket }, record: { s3: bucket } },
      "record.s3.bucket",
      "record is the bucket of the images",
      /bucket of its own/,
    ],
    [
      { ...pair({}), storage: { s3: { ...bucket, folder: "/x" } }, record: { s3: { ...bucket, bucket: "other" } } },
      "storage.s3.folder",
      /with \/ in between/,
      /./,
    ],
    [{ storage: { s3: bucket }, record: { s3: bucket } }, "storage", /on the lab/, /./],
    [{ ...pair({}), storage: { path: "mnt" } }, "storage.path", "must be an absolute path without spaces", /./],
    [
      { ...pair({}), storage: { nfs: { server: "10.0.0.5" } } },
      "storage.nfs.export",
      "required, but not set",
      /storage\.nfs\.export/,
    ],
  ],
  "servers of yours": [
    [{ postgres: { external: {} } }, "postgres.external.host", "required, but not set", /./, 3],
    [{ postgres: { external: { ...database, password: 'a"b' } } }, "postgres.external.password", /quotes/, /./],
    [{ postgres: { external: { ...database, sslMode: "yes" } } }, "postgres.external.sslMode", /verify-full/, /./],
    [
      { postgres: { external: { ...database, caCertificate: "ca.crt" } } },
      "postgres.external.caCertificate",
      /PEM/,
      /./,
    ],
    [
      { redis: { external: { host: "redis.example.com", password: "p@ss" } } },
      "redis.external.password",
      /letters, digits/,
      /./,
    ],
    [
      {
        redis: { external: { host: "r.example.com", password: "Password1", user: "harbor" } },
        harbor: { installer, version: "2.14.1" },
      },
      "redis.external.user",
      "Harbor 2.14.1's registry ignores it and would not log in",
      /Harbor 2\.15/,
    ],
  ],
  "a PostgreSQL setting": [
    [
      { postgres: { settings: { Work_Mem: "8MB" } } },
      "postgres.settings.Work_Mem",
      /name in lower case/,
      /correct the name/,
    ],
    [{ postgres: { settings: { work_mem: "8MB'" } } }, "postgres.settings.work_mem", /quotes or line breaks/, /./],
    [
      { postgres: { settings: { "auto_explain.log_format": "a\nfsync = off" } } },
      "postgres.settings.auto_explain.log_format",
      /quotes or line breaks/,
      `pulumi config set --path harbor-ha:'postgres.settings["auto_explain.log_format"]' <value>`,
    ],
    [
      { postgres: { settings: { max_connections: 500 } } },
      "postgres.settings.max_connections",
      /belongs to the toolkit/,
      "remove it and set postgres.maxConnections",
    ],
    [{ postgres: { settings: { fsync: false } } }, "postgres.settings.fsync", /belongs to the toolkit/, "remove it"],
  ],
};

describe.each(Object.entries(badConfigurations))("%s is refused, with where, why and what to do", (_, table) => {
  test.each(table)("%j", (changes, path, reason, remedy, count = 1) => {
    const problems = problemsOf(changes);
    expect(problems).toHaveLength(count);
    const problem = problems.find((problem) => problem.path === path);
    expect(problem?.reason).toMatch(reason);
    expect(problem?.remedy).toMatch(remedy);
  });
});

test.each([
  ["by an address that moves", {}],
  ["behind a load balancer", { virtualAddress: undefined, networkInterface: undefined, loadBalancer: {} }],
])("machines of yours, %s, are a configuration", (_, changes) => {
  expect(problemsOf(pair(changes))).toEqual([]);
});

describe("settings that the toolkit owns", () => {
  test.each([...ownedSettings])("%s is refused by name", (name) => {
    expect(problemsOf({ postgres: { settings: { [name]: "x", work_mem: "8MB" } } })).toEqual([
      { path: `postgres.settings.${name}`, reason: expect.any(String), remedy: expect.stringMatching(/^remove it/) },
    ]);
  });
});

describe("a certificate of one's own", () => {
  const day = 86_400_000;
  const tls = (certificate: string, privateKey: string, name = hostname) => ({
    hostname: name,
    tls: { certificate, privateKey },
  });
  const found = (changes: Record<string, unknown>) =>
    problemsOf(changes).map(({ path, reason }) => `${path} ${reason}`);

  test("is taken when it belongs to its key and names the host; init's own is then not looked at", async () => {
    const { certificate, privateKey } = await certificateFor("other.example.com");
    expect(found(tls(certificate, privateKey, "other.example.com"))).toEqual([]);
    const wildcard = await certificateFor("*.example.com");
    expect(found(tls(wildcard.certificate, wildcard.privateKey, "other.example.com"))).toEqual([]);
    const address = await certificateFor("10.231.77.10");
    expect(found(tls(address.certificate, address.privateKey, "10.231.77.10"))).toEqual([]);
  });

  test("is refused with another one's key", async () => {
    const [one, other] = await Promise.all([certificateFor(hostname), certificateFor(hostname)]);
    expect(found(tls(one.certificate, other.privateKey))).toEqual([
      "tls.privateKey does not belong to tls.certificate",
    ]);
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export(pkcs8);
    expect(found(tls(one.certificate, String(rsa)))).toEqual(["tls.privateKey does not belong to tls.certificate"]);
  });

  test("is refused when it does not name the host", async () => {
    const { certificate, privateKey } = await certificateFor("other.example.com");
    expect(found(tls(certificate, privateKey))).toEqual([
      `tls.certificate does not name ${hostname} (it names: DNS:other.example.com)`,
    ]);
  });

  test("is refused when only its common name names the host, which clients of today ignore", async () => {
    const { certificate, privateKey } = await certificateFor(hostname, { nameIn: "common name only" });
    expect(found(tls(certificate, privateKey))).toEqual([
      `tls.certificate does not name ${hostname} (it names: nothing)`,
    ]);
  });

  test("is refused when it is over, or has not begun", async () => {
    const past = await certificateFor(hostname, { from: new Date(2020, 1), until: new Date(Date.UTC(2021, 0, 31)) });
    expect(found(tls(past.certificate, past.privateKey))).toEqual(["tls.certificate expired on 2021-01-31"]);
    const future = await certificateFor(hostname, {
      from: new Date(Date.now() + day),
      until: new Date(Date.now() + 2 * day),
    });
    expect(found(tls(future.certificate, future.privateKey))[0]).toMatch(/^tls.certificate is valid only from 20/);
  });

  test("is refused when it, or its key, cannot be read", async () => {
    const { certificate, privateKey } = await certificateFor(hostname);
    expect(found(tls("nonsense", "nonsense"))).toEqual([
      "tls.certificate is not a PEM certificate",
      "tls.privateKey is not an unencrypted PEM private key",
    ]);
    const locked = createPrivateKey(privateKey).export({
      ...pkcs8,
      cipher: "aes256",
      passphrase: "x",
    });
    expect(found(tls(certificate, String(locked)))).toEqual(["tls.privateKey is not an unencrypted PEM private key"]);
  });
});

const pkcs8 = { type: "pkcs8", format: "pem" } as const;

describe("several problems", () => {
  const many = {
    hostnme: "x",
    hostname: "localhost",
    rootSecret: undefined,
    postgres: { maxConnections: 9000, settings: { fsync: false } },
    pgbouncer: { poolSize: 400 },
    docker: { addressPool: "10.231.0.0/16" },
    harbor: { installer: { file: "x", sha256: "no" }, adminPassword: "se cret" },
    tls: { certificate: "x" },
  };

  test("are told all at once, also those between options", () => {
    expect(new Set(problemsOf(many).map(({ path }) => path))).toEqual(
      new Set([
        "hostnme",
        "hostname",
        "rootSecret",
        "postgres.maxConnections",
        "docker.addressPool",
        "harbor.installer.sha256",
        "harbor.adminPassword",
        "tls.privateKey",
      ]),
    );
    expect(
      problemsOf({ pgbouncer: { poolSize: 400 }, postgres: { settings: { fsync: false } }, initialPrimary: "x" }).map(
        ({ path }) => path,
      ),
    ).toEqual(["initialPrimary", "pgbouncer.poolSize", "postgres.settings.fsync"]);
  });

  test("read as one text that says that nothing was changed", () => {
    expect(formatProblems(problemsOf({ hostname: "localhost", pgbouncer: { poolSize: 1 } }))).toBe(
      `2 problems in the stack's configuration; nothing was changed:
  harbor-ha:hostname: Harbor refuses a loopback name: clients must reach it
    → pulumi config set harbor-ha:hostname <value>
  harbor-ha:pgbouncer.poolSize: must be at least 5
    → pulumi config set --path harbor-ha:pgbouncer.poolSize <value>`,
    );
  });
});

test("no message quotes a secret, whatever is wrong with it", async () => {
  const marker = "PLANTED";
  const { certificate } = await certificateFor(hostname);
  const secret = (text: string) => `${marker}${text}`;
  const attempts: Record<string, unknown>[] = [
    { rootSecret: secret("") },
    { rootSecret: secret(` ${"x".repeat(40)}`) },
    { rootSecret: [secret("")] },
    { rootSecret: `{"${marker}` },
    harbor({ adminPassword: secret(" ") }),
    harbor({ adminPassword: [secret("")] }),
    { tls: { certificate, privateKey: secret("") } },
    { tls: { certificate: secret(""), privateKey: secret("") } },
    { tls: secret("") },
    { identity: secret("") },
    { identity: { ...identity, tokenKey: { x: secret("") } } },
    { identity: [secret("")] },
  ];
  for (const changes of attempts) {
    const problems = problemsOf(changes);
    expect(problems, JSON.stringify(Object.keys(changes))).not.toEqual([]);
    expect(formatProblems(problems)).not.toContain(marker);
  }
});
