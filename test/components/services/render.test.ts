import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { substitute } from "../../../components/apply/host/substitute.ts";
import { type Bundle, bundle } from "../../../components/model/bundle.ts";
import { hostPaths } from "../../../components/model/paths.ts";
import { placeholderPattern } from "../../../components/model/secrets.ts";
import { stackSecrets } from "../../../components/secrets.ts";
import { restartSettings } from "../../../components/services/postgres/settings.ts";
import { renderInventory, renderNode, servicePackages } from "../../../components/services/render.ts";
import type { Config } from "../../../stacks/config.ts";
import { sampleConfig, sampleInventory } from "../../support/sample.ts";

const golden = join(import.meta.dirname, "../../golden");

function bundlesOf(config: Config, node: "node1" | "node2"): Bundle[] {
  const inventory = sampleInventory(config);
  const found = inventory.topology.nodes.find(({ name }) => name === node);
  if (!found) throw new Error(`no ${node}`);
  const [system, ...services] = renderNode(inventory.topology, found, config, stackSecrets(config));
  return [system, renderInventory(inventory), ...services];
}

/** Content by path, over all services of a node. */
const filesOf = (config: Config, node: "node1" | "node2"): Record<string, string> =>
  Object.fromEntries(
    bundlesOf(config, node).flatMap(({ files }) => Object.entries(files).map(([path, { content }]) => [path, content])),
  );

const nodes = ["node1", "node2"] as const;
const script = /^\/usr\/local\/lib\/harbor-ha\/.*\.sh$/;

describe.each(nodes)("on %s", (node) => {
  const bundles = bundlesOf(sampleConfig, node);
  const files = filesOf(sampleConfig, node);

  // Reviewed like code: a changed line here is a changed line on every host. `vitest -u` writes them anew.
  test.each(Object.keys(files).filter((path) => !script.test(path)))("%s is as reviewed", async (path) => {
    await expect(files[path]).toMatchFileSnapshot(join(golden, node, path));
  });

  test("modes, owners, what happens on a change, packages and units are as reviewed", async () => {
    const lines = bundles.flatMap(({ service, packages, held, directories, files, units, managedUnits }) => [
      `# ${service}`,
      ...packages.map((name) => `package ${name}`),
      ...held.map((name) => `held ${name}`),
      ...Object.entries(directories).map(([path, { mode, owner }]) => `${mode} ${owner ?? "root:root"} ${path}/`),
      ...Object.entries(files).map(([path, { mode, owner, onChange }]) =>
        [mode, owner ?? "root:root", path, ...Object.entries(onChange ?? {}).flat()].join(" "),
      ),
      ...units.map((unit) => `unit ${unit}`),
      ...managedUnits.map((unit) => `unit of roll ${unit}`),
      "",
    ]);
    await expect(lines.join("\n")).toMatchFileSnapshot(join(golden, node, "bundles.txt"));
  });

  test("every bundle is one that apply takes; no file with a secret is for everybody", () => {
    for (const made of bundles) expect(bundle.parse(JSON.parse(JSON.stringify(made)))).toEqual(made);
  });

  test("no file, directory or unit belongs to two services", () => {
    const owned = bundles.flatMap(({ files, directories, units, managedUnits }) => [
      ...Object.keys(files),
      ...Object.keys(directories),
      ...units,
      ...managedUnits,
    ]);
    expect(owned.filter((path, index) => owned.indexOf(path) !== index)).toEqual([]);
  });

  test("what a change reloads or restarts is a unit of the same service", () => {
    for (const { files, units, managedUnits } of bundles)
      for (const { onChange } of Object.values(files)) {
        const unit = onChange && ("reload" in onChange ? onChange.reload : onChange.restart);
        if (unit && !unit.startsWith("sysctl ")) expect([...units, ...managedUnits]).toContain(unit);
      }
  });

  test("no bundle holds the value of a secret, and each one named in it is delivered to the host", () => {
    const secrets = stackSecrets(sampleConfig);
    const text = JSON.stringify(bundles);
    const { caKey } = sampleConfig.identity;
    for (const value of [sampleConfig.rootSecret, caKey, ...secrets.map(({ value }) => value)])
      expect(text).not.toContain(JSON.stringify(value).slice(1, -1));
    const delivered = secrets.map(({ label, tag }) => `${label}:${tag}`);
    const named = new Set([...text.matchAll(placeholderPattern)].map(([, key]) => key));
    expect([...named].filter((key) => !delivered.includes(key ?? ""))).toEqual([]);
    expect(delivered.filter((key) => !named.has(key))).toEqual([]);
  });

  test("role state is in no file: a changed role changes no file", () => {
    for (const [path, content] of Object.entries(files).filter(([path]) => !script.test(path)))
      expect(content, path).not.toMatch(
        /primary_conninfo|primary_slot_name|synchronous_standby_names|replicaof|slaveof/,
      );
  });

  test("the operator's key file is not in the inventory that lies on the host", () => {
    expect(files[hostPaths.inventory]).not.toContain("identityFile");
    expect(JSON.parse(files[hostPaths.inventory] ?? "")).toHaveProperty("topology.stack", "sample");
  });

  test("programs are the files of this repository", () => {
    const programs = Object.entries(files).filter(([path]) => script.test(path));
    expect(programs.map(([path]) => path.split("/").at(-1)).sort()).toEqual([
      "harbor.sh",
      "lease.sh",
      "own.sh",
      "pgbouncer.sh",
      "postgres.sh",
      "redis.sh",
      "storage-guard.sh",
    ]);
    for (const [path, content] of programs) {
      const name = path.split("/").at(-1) ?? "";
      const service =
        name === "storage-guard.sh"
          ? "harbor"
          : ["own.sh", "lease.sh"].includes(name)
            ? "agent"
            : name.replace(".sh", "");
      const source = join(import.meta.dirname, "../../../components/services", service, "host", name);
      expect(content).toBe(readFileSync(source, "utf8"));
    }
  });

  test("the system bundle installs every service's packages in one go", () => {
    expect(bundles[0]?.service).toBe("system");
    expect(bundles[0]?.packages).toEqual([...servicePackages].sort());
    for (const { packages } of bundles) expect(servicePackages).toEqual(expect.arrayContaining(packages));
  });
});

test("no reviewed file is left of one that is rendered no more", () => {
  const reviewed = readdirSync(golden, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(golden, join(parentPath, name)));
  const rendered = nodes.flatMap((node) => [
    `${node}/bundles.txt`,
    ...Object.keys(filesOf(sampleConfig, node))
      .filter((path) => !script.test(path))
      .map((path) => `${node}${path}`),
  ]);
  expect(
    reviewed.filter((path) => !rendered.includes(path) && !/^(explain|aliyun|harbor-|systems)/.test(path)),
  ).toEqual([]);
});

test("both nodes get the same, but for their own name and address", () => {
  const [one, two] = nodes.map((node) => filesOf(sampleConfig, node)) as [
    Record<string, string>,
    Record<string, string>,
  ];
  expect(Object.keys(one)).toEqual(Object.keys(two));
  const different = Object.keys(one).flatMap((path) => {
    const [ours, theirs] = [one[path]?.split("\n") ?? [], two[path]?.split("\n") ?? []];
    return ours.flatMap((line, index) => (line === theirs[index] ? [] : [`${path}: ${line.trim()}`]));
  });
  expect(different).toEqual([
    '/etc/harbor-ha/agent.json: "name": "node1",',
    '/etc/harbor-ha/agent.json: "address": "10.231.77.11"',
    '/etc/harbor-ha/agent.json: "name": "node2",',
    '/etc/harbor-ha/agent.json: "address": "10.231.77.12"',
    "/etc/postgresql/17/main/conf.d/20-restart.conf: cluster_name = 'node1'",
    "/etc/postgresql/17/main/conf.d/20-restart.conf: listen_addresses = '127.0.0.1,10.231.77.11'",
    "/etc/redis/redis.conf: bind 127.0.0.1 10.231.77.11",
    "/etc/keepalived/keepalived.conf: router_id node1",
    "/etc/keepalived/keepalived.conf: priority 110",
    "/etc/keepalived/keepalived.conf: unicast_src_ip 10.231.77.11",
    "/etc/keepalived/keepalived.conf: 10.231.77.12",
  ]);
});

describe("harbor.yml", () => {
  const version = (version: string): Config => ({ ...sampleConfig, harbor: { ...sampleConfig.harbor, version } });
  const path = "/opt/harbor/harbor.yml";

  test.each(["2.13.2", "2.14.0", "2.15.2"])("for Harbor %s is as reviewed", async (release) => {
    const text = filesOf(version(release), "node1")[path];
    await expect(text).toMatchFileSnapshot(join(golden, `harbor-${release}.yml`));
    expect(parse(text ?? "")._version).toBe(release.replace(/\d+$/, "0"));
  });

  test("with the secrets in place is still the YAML that was meant", () => {
    const config: Config = {
      ...sampleConfig,
      harbor: { ...sampleConfig.harbor, adminPassword: "y-looks-like_a-word" },
    };
    const secrets = stackSecrets(config);
    const values = Object.fromEntries(secrets.map(({ label, tag, value }) => [`${label}:${tag}`, value]));
    const read = (file: string) => parse(substitute(filesOf(config, "node1")[file] ?? "", values, file));
    const value = (label: string) => secrets.find((secret) => secret.label === label)?.value;
    expect(read(path)).toMatchObject({
      harbor_admin_password: "y-looks-like_a-word",
      external_database: { harbor: { host: "172.30.0.1", port: 6432, password: value("postgres.harbor") } },
      external_redis: { host: "172.30.0.1:6380", password: value("redis.password") },
    });
    expect(read("/opt/harbor/docker-compose.override.yml")).toMatchObject({
      services: {
        core: { environment: { CSRF_KEY: value("harbor.csrfKey"), CORE_SECRET: value("harbor.coreSecret") } },
        jobservice: { environment: { JOBSERVICE_SECRET: value("harbor.jobserviceSecret") } },
        registryctl: { environment: { CORE_SECRET: value("harbor.coreSecret") } },
      },
    });
  });

  // What prepare needs besides, or ends with a traceback (2.13 to 2.15).
  test.each(["2.13.2", "2.14.0", "2.15.2"])("for Harbor %s has every key that prepare asks for", (release) => {
    expect(parse(filesOf(version(release), "node1")[path] ?? "")).toMatchObject({
      hostname: "registry.example.com",
      harbor_admin_password: expect.any(String),
      data_volume: "/data",
      https: { certificate: expect.any(String), private_key: expect.any(String) },
      jobservice: { max_job_workers: 12, job_loggers: expect.any(Array), logger_sweeper_duration: expect.any(Number) },
      notification: {
        webhook_job_max_retry: expect.any(Number),
        webhook_job_http_client_timeout: expect.any(Number),
      },
      log: { level: "warning", local: { rotate_count: expect.any(Number), rotate_size: "100M" } },
      external_database: { harbor: { db_name: "registry", username: "harbor", ssl_mode: "disable" } },
      upload_purging: { age: "168h", interval: "24h" },
    });
  });
});

describe("the override file", () => {
  const { services } = parse(filesOf(sampleConfig, "node1")["/opt/harbor/docker-compose.override.yml"] ?? "");

  test("leaves the start at boot to the unit that checks the storage", () => {
    for (const service of Object.values(services)) expect(service).toHaveProperty("restart", "on-failure");
  });

  test("takes images and job logs from the shared storage, and never makes an empty folder instead", () => {
    const mounts = Object.values<{ volumes?: object[] }>(services).flatMap(({ volumes = [] }) => volumes);
    expect(mounts).toHaveLength(3);
    for (const mount of mounts)
      expect(mount).toMatchObject({
        type: "bind",
        source: expect.stringMatching(/^\/mnt\/harbor-ha\/(registry|job_logs)$/),
        bind: { create_host_path: false },
      });
  });
});

describe("PostgreSQL's settings", () => {
  const files = filesOf(sampleConfig, "node1");
  const names = (file: string) =>
    [...(files[`/etc/postgresql/17/main/conf.d/${file}`] ?? "").matchAll(/^([a-z_.]+) = /gm)].map(
      ([, name]) => name ?? "",
    );

  test("are in 20-restart.conf if only a restart changes them, else in 10-reload.conf", () => {
    expect(names("20-restart.conf").filter((name) => !restartSettings.has(name))).toEqual([]);
    expect(names("10-reload.conf").filter((name) => restartSettings.has(name))).toEqual([]);
    expect(names("20-restart.conf")).toEqual(
      expect.arrayContaining([
        "max_connections",
        "shared_buffers",
        "wal_level",
        "archive_mode",
        "max_worker_processes",
      ]),
    );
    expect(names("10-reload.conf")).toEqual(expect.arrayContaining(["work_mem", "jit", "max_slot_wal_keep_size"]));
  });

  test("of the user stand in the file once, quoted as PostgreSQL reads them", () => {
    const all = Object.values(files).join("\n");
    expect(all.match(/^work_mem = '8MB'$/gm)).toHaveLength(1);
    expect(all.match(/^jit = off$/gm)).toHaveLength(1);
    expect(all.match(/^max_worker_processes = 16$/gm)).toHaveLength(1);
  });
});

describe("a changed option changes the lines of its own file and nothing else", () => {
  const { harbor, postgres } = sampleConfig;
  const conf = "/etc/postgresql/17/main/conf.d";
  const cases: [string, Partial<Config>, string[]][] = [
    ["harbor.logLevel", { harbor: { ...harbor, logLevel: "debug" } }, ["/opt/harbor/harbor.yml"]],
    ["harbor.maxJobWorkers", { harbor: { ...harbor, maxJobWorkers: 20 } }, ["/opt/harbor/harbor.yml"]],
    ["harbor.adminPassword", { harbor: { ...harbor, adminPassword: "Another-one" } }, ["/opt/harbor/harbor.yml"]],
    ["postgres.maxConnections", { postgres: { ...postgres, maxConnections: 400 } }, [`${conf}/20-restart.conf`]],
    ["postgres.maxSlotWalKeepMb", { postgres: { ...postgres, maxSlotWalKeepMb: 512 } }, [`${conf}/10-reload.conf`]],
    [
      "postgres.settings",
      { postgres: { ...postgres, settings: {} } },
      [`${conf}/10-reload.conf`, `${conf}/20-restart.conf`],
    ],
    ["pgbouncer.poolSize", { pgbouncer: { poolSize: 50 } }, ["/etc/pgbouncer/pgbouncer.ini"]],
    ["redis.maxMemoryMb", { redis: { maxMemoryMb: 1024 } }, ["/etc/redis/redis.conf"]],
    [
      "tls",
      { tls: { certificate: "own certificate", privateKey: "own key" } },
      ["/etc/harbor-ha/tls/endpoint.crt", "/etc/harbor-ha/tls/endpoint.key"],
    ],
    [
      "initialPrimary",
      { initialPrimary: "node2" },
      ["/etc/harbor-ha/inventory.json", "/etc/keepalived/keepalived.conf"],
    ],
  ];

  test.each(cases)("%s", (_, changes, expected) => {
    for (const node of nodes) {
      const before = filesOf(sampleConfig, node);
      const after = filesOf({ ...sampleConfig, ...changes }, node);
      expect(
        Object.keys(after)
          .filter((path) => after[path] !== before[path])
          .sort(),
      ).toEqual(expected);
    }
  });
});
