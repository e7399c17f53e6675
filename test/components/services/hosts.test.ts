import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hostsFence, hostsTopology } from "../../../components/model/hosts.ts";
import { fence as fenceSchema } from "../../../components/model/inventory.ts";
import { type System, systems } from "../../../components/model/system.ts";
import { stackSecrets } from "../../../components/secrets.ts";
import { renderNode } from "../../../components/services/render.ts";
import type { Config } from "../../../stacks/config.ts";
import { sampleConfig } from "../../support/sample.ts";

const hosts = {
  system: "debian-13" as System,
  node1: { address: "10.0.0.11", hostKey: "ssh-ed25519 one", sshPort: 22 },
  node2: { address: "10.0.0.12", hostKey: "ssh-ed25519 two", sshPort: 22, networkInterface: "ens4" },
  user: "admin",
  networkInterface: "eth0",
  virtualAddress: "10.0.0.10/24",
  fence: "ipmi off",
};

function render(
  changes: Partial<typeof hosts & { loadBalancer: object }>,
  storage: Config["storage"],
  servers: Pick<Config, "postgres" | "redis"> = sampleConfig,
) {
  const { postgres, redis } = servers;
  const config = {
    ...sampleConfig,
    target: "hosts",
    storage,
    postgres,
    redis,
    hosts: { ...hosts, ...changes },
  } as Config & {
    hosts: NonNullable<Config["hosts"]>;
  };
  const topology = hostsTopology("sample", config);
  const [node1, node2] = topology.nodes.map((node) => {
    const bundles = renderNode(topology, node, config, stackSecrets(config));
    return {
      files: Object.fromEntries(
        bundles.flatMap(({ files }) => Object.entries(files).map(([path, { content }]) => [path, content])),
      ),
      units: bundles.flatMap(({ units }) => units),
      packages: bundles.flatMap(({ packages }) => packages),
      base: bundles[0],
    };
  });
  if (!node1 || !node2) throw new Error("no pair");
  return { topology, node1, node2 };
}

describe("machines of yours", () => {
  test("the virtual address lies on each machine's own interface", () => {
    const { node1, node2 } = render({}, { path: "/mnt/harbor-ha" });
    const keepalived = "/etc/keepalived/keepalived.conf";
    expect(node1.files[keepalived]).toMatch(/interface eth0\n[\s\S]*10\.0\.0\.10\/24/);
    expect(node2.files[keepalived]).toMatch(/interface ens4\n[\s\S]*10\.0\.0\.10\/24/);
    expect(node1.files["/etc/haproxy/haproxy.cfg"]).toContain("bind 10.0.0.10:443");
  });

  test("behind a load balancer nothing binds 443, and there is no keepalived", () => {
    const { node1 } = render(
      { virtualAddress: undefined, networkInterface: undefined, loadBalancer: { drainSeconds: 20 } },
      { path: "/mnt/harbor-ha" },
    );
    expect(node1.files["/etc/haproxy/haproxy.cfg"]).toContain("listen redis");
    expect(node1.files["/etc/haproxy/haproxy.cfg"]).not.toMatch(/listen harbor|:443/);
    expect(node1.files).not.toHaveProperty(["/etc/keepalived/keepalived.conf"]);
    expect(node1.units).not.toContain("keepalived.service");
  });

  test("an NFS share is mounted hard for images, soft and uncached for the record", () => {
    const { node1, topology } = render(
      {},
      { path: "/srv/my-share", nfs: { server: "10.0.0.5", export: "/harbor", version: "4.1" } },
    );
    const images = "/etc/systemd/system/srv-my\\x2dshare.mount";
    const record = "/etc/systemd/system/srv-my\\x2dshare\\x2drecord.mount";
    expect(node1.files[images]).toMatch(/^What=10\.0\.0\.5:\/harbor\nWhere=\/srv\/my-share$/m);
    expect(node1.files[images]).toMatch(/^Options=nfsvers=4\.1,.*\bhard\b/m);
    expect(node1.files[record]).toMatch(/^Where=\/srv\/my-share-record$/m);
    expect(node1.files[record]).toMatch(/^Options=.*\bsoft\b.*\bnoac\b.*lookupcache=none.*nosharecache/m);
    expect(node1.units).toContain("srv-my\\x2dshare.mount");
    expect(node1.packages).toContain("nfs-common");
    expect(topology.record).toEqual({ kind: "directory", path: "/srv/my-share-record/.harbor-ha/record" });
  });
});

test("ECS instances reach the inventory as the fence of their nodes", () => {
  const aliyun = { region: "cn-hangzhou", node1: "i-bp1aaaa", node2: "i-bp1bbbb" };
  const fence = hostsFence({ hosts: { ...hosts, fence: { aliyun } } });
  expect(fenceSchema.parse(fence)).toEqual({
    kind: "aliyun",
    region: "cn-hangzhou",
    instances: { node1: "i-bp1aaaa", node2: "i-bp1bbbb" },
  });
  const endpoint = "https://ecs-vpc.cn-hangzhou.aliyuncs.com";
  expect(hostsFence({ hosts: { ...hosts, fence: { aliyun: { ...aliyun, endpoint } } } })).toMatchObject({ endpoint });
});

describe("servers of yours", () => {
  const external = { host: "db.example.com", port: 5433, user: "app", password: "Password-of-the-database" };
  const postgres = {
    ...sampleConfig.postgres,
    external: { ...external, database: "images", sslMode: "verify-full" as const },
  };
  const redis = {
    ...sampleConfig.redis,
    external: { host: "redis.example.com", port: 6390, password: "Password-of-redis", caCertificate: "the CA" },
  };
  const own = render({}, { path: "/mnt/harbor-ha" }).node1;
  const { node1 } = render({}, { path: "/mnt/harbor-ha" }, { postgres, redis });

  test("change nothing in harbor.yml but Redis' password: PgBouncer and HAProxy lead there", () => {
    const withoutPassword = (text = "") => text.replace(/@\{redis\.password:\w+\}/, "");
    const yaml = "/opt/harbor/harbor.yml";
    expect(withoutPassword(node1.files[yaml])).toBe(withoutPassword(own.files[yaml]));
    const pgbouncer = node1.files["/etc/pgbouncer/pgbouncer.ini"];
    expect(node1.files["/etc/pgbouncer/external.ini"]).toContain(
      "registry = host=db.example.com port=5433 dbname=images user=app password=@{postgres.external:",
    );
    expect(pgbouncer).toContain(
      "server_tls_sslmode = verify-full\nserver_tls_ca_file = /etc/ssl/certs/ca-certificates.crt\n",
    );
    expect(node1.files["/etc/pgbouncer/userlist.txt"]).toBe(own.files["/etc/pgbouncer/userlist.txt"]);
    const haproxy = node1.files["/etc/haproxy/haproxy.cfg"];
    expect(haproxy).not.toContain("listen postgres");
    expect(haproxy).toMatch(
      /server yours redis\.example\.com:6390 check .*resolvers system .*verify required .*verifyhost redis\.example\.com sni str\(redis\.example\.com\) check-sni redis\.example\.com\n/,
    );
  });

  test("leave neither server on the nodes, nor their passwords in a render", () => {
    expect(node1.packages).not.toContain("postgresql-17");
    expect(node1.packages).not.toContain("redis-server");
    expect(node1.base.held).not.toContain("redis-server");
    expect(JSON.stringify(node1.files)).not.toMatch(/Password-of/);
  });
});

describe.each(systems)("on %s", (system) => {
  const { node1 } = render({ system }, { path: "/mnt/harbor-ha" });

  test("packages, what is held, and where it comes from are as reviewed", async () => {
    const sources = Object.entries(node1.files).filter(([path]) => path.startsWith("/etc/apt/"));
    const { packages, held } = node1.base;
    await expect(
      `${JSON.stringify({ packages, held, sources: Object.fromEntries(sources) }, null, 2)}\n`,
    ).toMatchFileSnapshot(join(import.meta.dirname, "../../golden/systems", `${system}.json`));
  });

  test("all that runs and could be replaced under clients is held", () => {
    const { packages, held } = node1.base;
    const unheld = packages.filter((name) => !held.includes(name));
    expect(unheld.sort()).toEqual(["ca-certificates", "chrony", "curl"]);
  });
});
