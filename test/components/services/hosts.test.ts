import { describe, expect, test } from "vitest";
import { hostsAccess, hostsFence, hostsTopology } from "../../../components/model/hosts.ts";
import { stackSecrets } from "../../../components/secrets.ts";
import { renderNode } from "../../../components/services/render.ts";
import type { Config } from "../../../stacks/config.ts";
import { sampleConfig } from "../../support/sample.ts";

const hosts = {
  node1: { address: "10.0.0.11", hostKey: "ssh-ed25519 one", sshPort: 22 },
  node2: { address: "10.0.0.12", hostKey: "ssh-ed25519 two", sshPort: 22, networkInterface: "ens4" },
  user: "admin",
  networkInterface: "eth0",
  virtualAddress: "10.0.0.10/24",
  fence: "ipmi off",
};

function render(changes: Partial<typeof hosts & { loadBalancer: object }>, storage: Config["storage"]) {
  const config = { ...sampleConfig, target: "hosts", storage, hosts: { ...hosts, ...changes } } as Config & {
    hosts: NonNullable<Config["hosts"]>;
  };
  const { version, installer } = config.harbor;
  const topology = hostsTopology("sample", config);
  const inventory = {
    format: 1 as const,
    topology,
    access: hostsAccess(config),
    fence: hostsFence(config),
    harbor: { version, installer },
  };
  const [node1, node2] = topology.nodes.map((node) => {
    const bundles = renderNode(inventory, node, config, stackSecrets(config));
    return {
      files: Object.fromEntries(
        bundles.flatMap(({ files }) => Object.entries(files).map(([path, { content }]) => [path, content])),
      ),
      units: bundles.flatMap(({ units }) => units),
      packages: bundles.flatMap(({ packages }) => packages),
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
