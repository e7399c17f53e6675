import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nspawnArguments } from "../../../scripts/lab/host.ts";
import { renderHostsFile, renderNetworkFile, renderResolverFile } from "../../../scripts/lab/host-files.ts";
import { firewallRules, taggedRules } from "../../../scripts/lab/network.ts";
import { bridgeMac, bridgeName, linkName, machineName } from "../../../scripts/lab/paths.ts";
import { isDebianFamily } from "../../../scripts/lab/prerequisites.ts";
import type { LabSpec } from "../../../scripts/lab/spec.ts";

const spec: LabSpec = {
  name: "example",
  subnet: "10.231.99.0/24",
  nodes: [
    { name: "node1", address: "10.231.99.11" },
    { name: "node2", address: "10.231.99.12" },
  ],
  prefetch: [],
};

beforeEach(() => {
  process.env.HARBOR_HA_LAB_DIR = "/labs";
});
afterEach(() => {
  delete process.env.HARBOR_HA_LAB_DIR;
});

describe("a host", () => {
  test("is started with these arguments", () => {
    expect(nspawnArguments("example", "node1")).toMatchInlineSnapshot(`
      [
        "--boot",
        "--quiet",
        "--directory=/labs/example/hosts/node1/root",
        "--machine=hha9731141c",
        "--hostname=node1",
        "--register=no",
        "--keep-unit",
        "--network-bridge=hha-ad91a5da",
        "--capability=all",
        "--drop-capability=CAP_SYS_TIME",
        "--system-call-filter=@keyring bpf",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=read-only",
        "--bind=/labs/example/hosts/node1/docker:/var/lib/docker",
        "--bind=/labs/example/hosts/node1/postgresql:/var/lib/postgresql",
        "--bind=/labs/example/hosts/node1/shared:/mnt/harbor-ha",
      ]
    `);
  });

  test("never sets the machine's clock", () => {
    expect(nspawnArguments("example", "node1")).toContain("--drop-capability=CAP_SYS_TIME");
  });

  test("has a fixed address, and the machine as its way out", () => {
    const file = renderNetworkFile(spec, "10.231.99.11");
    expect(file).toContain("Name=host0\n");
    expect(file).toContain("Address=10.231.99.11/24\nGateway=10.231.99.1\n");
  });

  test("knows all nodes by name", () => {
    expect(renderHostsFile(spec)).toBe(
      "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n10.231.99.11 node1\n10.231.99.12 node2\n",
    );
  });

  test("asks the machine's name servers, except those only the machine reaches", () => {
    const machine = "search example\nnameserver 127.0.0.53\nnameserver ::1\nnameserver 192.0.2.53\n\n";
    expect(renderResolverFile(machine)).toBe("search example\nnameserver 192.0.2.53\n");
  });
});

describe("a lab's names in the kernel", () => {
  test("fit and differ from lab to lab and host to host", () => {
    const names = ["one", "other-with-a-long-name"].flatMap((lab) => [bridgeName(lab), linkName(lab, "node1")]);
    expect(new Set([...names, linkName("one", "node2")]).size).toBe(5);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(15);
    expect(linkName("one", "node1")).toBe(`vb-${machineName("one", "node1")}`);
    expect(bridgeMac("one")).toMatch(/^02(:[0-9a-f]{2}){5}$/);
  });

  test("depend on where the lab lives, so that two users' labs of one name coexist", () => {
    const here = bridgeName("one");
    process.env.HARBOR_HA_LAB_DIR = "/elsewhere";
    expect(bridgeName("one")).not.toBe(here);
  });
});

describe("firewall rules", () => {
  const bridge = () => bridgeName("example");

  test("let the hosts out and translate only what leaves the subnet", () => {
    expect(firewallRules(spec).map(({ chain, rule }) => [chain, rule.slice(0, 4).join(" "), rule.at(-1)])).toEqual([
      ["FORWARD", `-i ${bridge()} -m comment`, "ACCEPT"],
      ["FORWARD", `-o ${bridge()} -m comment`, "ACCEPT"],
      ["POSTROUTING", "-s 10.231.99.0/24 ! -d", "MASQUERADE"],
    ]);
  });

  test("are found again by their comment, and no others", () => {
    const mine = `harbor-ha-lab-${bridge()}`;
    const saved = `*filter
:FORWARD DROP [0:0]
-A FORWARD -i ${bridge()} -m comment --comment ${mine} -j ACCEPT
-A FORWARD -o ${bridge()} -m comment --comment "${mine}" -j ACCEPT
-A FORWARD -i ${bridge()} -j ACCEPT
-A FORWARD -i docker0 -m comment --comment "${mine} not" -j ACCEPT
-A FORWARD -i hha-00000000 -m comment --comment harbor-ha-lab-hha-00000000 -j ACCEPT
COMMIT`;
    expect(taggedRules(saved, mine).map((rule) => rule.join(" "))).toEqual([
      `FORWARD -i ${bridge()} -m comment --comment ${mine} -j ACCEPT`,
      `FORWARD -o ${bridge()} -m comment --comment ${mine} -j ACCEPT`,
    ]);
  });
});

test("Debian and its children can carry a lab", () => {
  expect(isDebianFamily('PRETTY_NAME="Debian"\nID=debian\n')).toBe(true);
  expect(isDebianFamily("ID=linuxmint\nID_LIKE='ubuntu debian'\n")).toBe(true);
  expect(isDebianFamily('ID=fedora\nVARIANT_ID="server"\n')).toBe(false);
  expect(isDebianFamily("")).toBe(false);
});
