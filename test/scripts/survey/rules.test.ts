import { describe, expect, test } from "vitest";
import { parseSurvey } from "../../../scripts/survey/facts.ts";
import { parsePair } from "../../../scripts/survey/pair.ts";
import { judge, table, type Visit } from "../../../scripts/survey/rules.ts";

const container = (service: string, image: string, state = "running") =>
  `container ${service} ${state} always json-file goharbor/${image}:v2.15.2`;

/** What host.sh says on a node on which nothing is wrong; its twin says the same. */
const good = `clock 1000.500000000
synchronized yes
home /opt/harbor
${container("core", "harbor-core")}
${container("jobservice", "harbor-jobservice")}
${container("registry", "registry-photon")}
${container("proxy", "nginx-photon")}
setting EXT_ENDPOINT https://registry.example.com
setting POSTGRESQL_HOST db.example.com
setting POSTGRESQL_MAX_OPEN_CONNS 50
setting POSTGRESQL_CONN_MAX_LIFETIME 5m
setting WITH_TRIVY False
setting redis redis://redis.example.com:6379/0
setting redis-of-registry redis://redis.example.com:6379/1
setting redis-of-jobs redis://redis.example.com:6379/2
fingerprint CSRF_KEY 0a1b2c3d4e5f
fingerprint JOBSERVICE_SECRET 1a1b2c3d4e5f
fingerprint secretkey 2a1b2c3d4e5f
secretkey-bytes 16
fingerprint private_key.pem 3a1b2c3d4e5f
loggers FILE,DB
mount images /data/registry nfs4 nas.example.com:/harbor rw,hard,vers=4.2
mount logs /data ext4 /dev/vdb rw
mount data /data ext4 /dev/vdb rw
driver filesystem
fingerprint images 4a1b2c3d4e5f
waits-for-images yes
ping 200
health {"status":"healthy","components":[{"name":"core","status":"healthy"}]}
certificate 100000000
disk / 40
database 7400000000000000001 registry f off
written t
redis role master
redis run_id 8d0f
redis maxmemory 1000
redis used_memory 100
redis maxmemory_policy noeviction
redis cluster_enabled 0
end
`;

const read = (text: string) => parseSurvey(text, 1000, 1001);
const pairOf = (one: string, two = good): Visit[] => [
  { name: "one", found: read(one) },
  { name: "two", found: read(two) },
];
const line = (key: string, instead: string) => {
  const found = new RegExp(`^${key}.*\n`, "m");
  if (!found.test(good)) throw new Error(`no line ${key}`);
  return good.replace(found, instead && `${instead}\n`);
};
const also = (...lines: string[]) => good.replace(/end\n$/, `${lines.join("\n")}\nend\n`);
const server = (role: string, more: object = {}) =>
  also(
    `server ${JSON.stringify({ role, receiving: role === "standby", keepBytes: 1_000_000_000, standbys: [], slots: [], ...more })}`,
  );
const streams = (syncState: string) => ({ standbys: [{ name: "two", state: "streaming", syncState, lagBytes: 0 }] });

test("of a good pair nothing is said", () => {
  expect(judge(pairOf(good))).toEqual([]);
  expect(judge(pairOf(server("primary", streams("sync")), server("standby")))).toEqual([]);
});

const alone: [id: string, severity: string, text: string, words: string][] = [
  ["harbor.hidden", "critical", "clock 1000.5\ndocker no\nend\n", "Docker does not answer"],
  ["harbor.missing", "critical", "clock 1000.5\nharbor no\nend\n", "no container of Harbor's"],
  [
    "container.down",
    "critical",
    line("container registry", container("registry", "registry-photon", "exited")),
    "registry (exited)",
  ],
  ["harbor.silent", "critical", line("ping", "ping 502"), "answers 502"],
  ["harbor.silent", "critical", line("ping", "ping 000"), "does not answer"],
  [
    "harbor.component",
    "critical",
    line("health", 'health {"components":[{"name":"redis","status":"unhealthy","error":"EOF"}]}'),
    "Harbor's redis is not healthy (EOF)",
  ],
  ["secretkey.length", "critical", line("secretkey-bytes", "secretkey-bytes 17"), "17 bytes, not 16"],
  ["database.own", "critical", also(container("postgresql", "harbor-db")), "a database of its own"],
  ["database.unreachable", "critical", line("database", "database-error connection refused"), "connection refused"],
  [
    "database.no-write",
    "critical",
    line("written", "").replace("registry f off", "registry t on"),
    "a standby answers",
  ],
  ["database.no-write", "critical", line("written", ""), "read-only, or a commit waits"],
  ["database.unasked", "notice", line("database", ""), "no psql"],
  [
    "database.lasting",
    "warning",
    line("setting POSTGRESQL_CONN", "setting POSTGRESQL_CONN_MAX_LIFETIME 0"),
    "live for ever",
  ],
  [
    "database.unlimited",
    "notice",
    line("setting POSTGRESQL_MAX", "setting POSTGRESQL_MAX_OPEN_CONNS 0"),
    "nothing limits",
  ],
  ["redis.own", "critical", also(container("redis", "valkey-photon")), "a Redis of its own"],
  ["redis.unreachable", "critical", also("redis-error WRONGPASS invalid password"), "WRONGPASS invalid password"],
  ["redis.replica", "critical", line("redis role", "redis role slave"), "takes no writes"],
  ["redis.cluster", "critical", line("redis cluster", "redis cluster_enabled 1"), "is a cluster"],
  ["redis.evicts", "warning", line("redis maxmemory_policy", "redis maxmemory_policy allkeys-lru"), "allkeys-lru"],
  ["redis.memory", "warning", line("redis used_memory", "redis used_memory 900"), "90 % of its memory"],
  [
    "storage.own",
    "warning",
    line("mount images", "mount images /data ext4 /dev/vdb rw"),
    "local file system (ext4 at /data)",
  ],
  ["storage.hangs", "critical", line("fingerprint images", "images-hang yes"), "does not answer within 5 s"],
  ["storage.soft", "warning", good.replace("rw,hard,", "rw,soft,"), "mounted soft"],
  ["data.shared", "warning", line("mount data", "mount data /data nfs4 nas:/harbor rw"), "prepare on one node removes"],
  ["logs.local", "warning", line("loggers", "loggers FILE"), "through the other one they are not found"],
  ["boot.unordered", "warning", good.replace("json-file", "syslog"), "may stay down"],
  ["boot.before-images", "warning", line("waits-for-images", ""), "whether /data/registry is mounted or not"],
  ["certificate.expires", "warning", line("certificate", "certificate 865001"), "expires in 10 days"],
  ["certificate.expires", "warning", line("certificate", "certificate 900"), "has expired"],
  ["disk.full", "warning", line("disk", "disk /data 93"), "/data is 93 % full"],
  ["clock.unsynchronized", "warning", line("synchronized", "synchronized no"), "nothing keeps its clock"],
  ["unit.failed", "warning", also("failed logrotate.service"), "logrotate.service has failed"],
  [
    "slot.unlimited",
    "warning",
    server("standby", { keepBytes: null, slots: [{ name: "three", active: true, keptBytes: 0 }] }),
    "without a limit",
  ],
  [
    "slot.bloated",
    "warning",
    server("standby", { slots: [{ name: "three", active: false, keptBytes: 800_000_000 }] }),
    "800 MB of WAL for three",
  ],
];

describe("a node with a fault", () => {
  test.each(alone)("%s (%s)", (id, severity, text, words) => {
    const found = judge(pairOf(text)).filter(({ node }) => node === "one");
    expect(found).toEqual([
      { id, severity, node: "one", sentence: expect.stringContaining(words), remedy: expect.stringMatching(/\w/) },
    ]);
    expect(found[0]?.sentence).toMatch(/^one: /);
  });

  test("a unit that brings Harbor up mends the order at boot", () => {
    const ordered = good.replace("json-file", "syslog").replace(/end\n$/, "boots harbor.service\nend\n");
    expect(judge(pairOf(ordered))).toEqual([]);
  });

  test("what Docker does not start at boot needs no order there", () => {
    const byHand = good.replaceAll("always json-file", "on-failure syslog").replace("waits-for-images yes\n", "");
    expect(judge(pairOf(byHand))).toEqual([]);
  });

  test("images in an object store have no mount to wait for, nor a local disk", () => {
    const text = good
      .replace("driver filesystem", "driver s3\nbucket bucket images")
      .replace("nfs4 nas.example.com:/harbor", "ext4 /dev/vdb")
      .replace("waits-for-images yes\n", "");
    expect(judge(pairOf(text, text))).toEqual([]);
  });

  test("one that gives no answer, or half of one", () => {
    const found = judge([{ name: "one", reason: "Permission denied (publickey)" }, ...pairOf(good).slice(1)]);
    expect(found).toMatchObject([
      { id: "host.unreachable", severity: "critical", sentence: "one gave no answer: Permission denied (publickey)" },
    ]);
    expect(read(good.replace(/end\n$/, ""))).toBeUndefined();
  });
});

const together: [id: string, severity: string, one: string, two: string, words: string][] = [
  [
    "versions.differ",
    "critical",
    good.replace("harbor-core:v2.15.2", "harbor-core:v2.14.0"),
    good,
    "core (v2.14.0, v2.15.2)",
  ],
  ["nodes.differ", "critical", line("fingerprint secretkey", "fingerprint secretkey 99"), good, "garbage on the other"],
  ["nodes.differ", "critical", line("fingerprint private", "fingerprint private_key.pem 99"), good, "with 401"],
  ["nodes.differ", "critical", line("fingerprint CSRF", "fingerprint CSRF_KEY 99"), good, "fail with 403"],
  [
    "nodes.differ",
    "critical",
    line("fingerprint JOB", "fingerprint JOBSERVICE_SECRET 99"),
    good,
    "replications above all",
  ],
  ["nodes.differ", "critical", line("fingerprint images", "fingerprint images 99"), good, "do not see the same images"],
  [
    "settings.differ",
    "critical",
    line("setting EXT", "setting EXT_ENDPOINT https://one.example.com"),
    good,
    'EXT_ENDPOINT is "https://one.example.com" on one and "https://registry.example.com" on two',
  ],
  ["settings.differ", "critical", line("setting WITH", "setting WITH_TRIVY True"), good, "removes the scanner"],
  [
    "storage.differ",
    "critical",
    also("bucket rootdirectory /storage"),
    good,
    "filesystem, rootdirectory /storage on one",
  ],
  ["database.differ", "critical", good.replace("0001 registry", "0002 registry"), good, "different databases"],
  ["redis.differ", "critical", line("redis run_id", "redis run_id 77"), good, "different Redis servers"],
  ["clock.skew", "warning", line("clock", "clock 1012.0"), good, "11 s apart"],
  ["postgres.two-primaries", "critical", server("primary"), server("primary"), "BOTH nodes"],
  ["postgres.no-primary", "critical", server("standby"), server("standby"), "neither node"],
  ["postgres.standby-away", "critical", server("primary"), server("standby"), "two does not stream"],
  ["postgres.standby-away", "critical", server("standby"), server("primary"), "one does not stream"],
  [
    "postgres.not-synchronous",
    "warning",
    server("primary", streams("async")),
    server("standby"),
    "commits do not wait for two",
  ],
];

test.each(together)("nodes that do not fit together: %s (%s)", (id, severity, one, two, words) => {
  expect(judge(pairOf(one, two))).toEqual([
    { id, severity, sentence: expect.stringContaining(words), remedy: expect.stringMatching(/\w/) },
  ]);
});

test("the table says who is what", () => {
  expect(table([...pairOf(server("primary")).slice(0, 1), { name: "two", reason: "no route" }])).toEqual([
    ["NODE", "HARBOR", "DATABASE", "REDIS", "IMAGES", "POSTGRESQL HERE"],
    ["one", "v2.15.2 serves", "db.example.com, writable", "master", "nfs4", "primary"],
    ["two", "unreachable", "?", "?", "?", "?"],
  ]);
});

describe("the file that says where the pair is", () => {
  test("names two nodes as ssh takes them", () => {
    const nodes = { one: "root@192.0.2.11", two: "ssh://ops@192.0.2.12:2222" };
    expect(parsePair("nodes:\n  one: root@192.0.2.11\n  two: ssh://ops@192.0.2.12:2222\n", "pair.yaml")).toEqual({
      nodes,
    });
  });

  test.each([
    ["", "expected object"],
    ["nodes: [a, b]", "nodes"],
    ["nodes: {one: a}", "expected two nodes"],
    ["nodes: {one: -oProxyCommand=reboot, two: b}", "nodes.one"],
    ["nodes: {one: a, two: b}\nuser: root", "user"],
    ["nodes: {one: a", "Flow map"],
  ])("is refused with an example: %j", (text, words) => {
    expect(() => parsePair(text, "pair.yaml")).toThrow(words);
    expect(() => parsePair(text, "pair.yaml")).toThrow(
      /^pair\.yaml does not say where the pair is:[\s\S]*Expected:\n {2}nodes:/,
    );
  });
});
