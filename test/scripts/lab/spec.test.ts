import { describe, expect, test } from "vitest";
import { LabError } from "../../../scripts/lab/errors.ts";
import { checkChange, checkSpec, gatewayOf, type LabSpec } from "../../../scripts/lab/spec.ts";

const good: LabSpec = {
  name: "example",
  subnet: "10.231.99.0/24",
  nodes: [
    { name: "node1", address: "10.231.99.11" },
    { name: "node2", address: "10.231.99.12" },
  ],
  prefetch: ["postgresql-17", "libstdc++6"],
};

describe("a lab's specification", () => {
  test("passes when it is sound", () => {
    expect(() => checkSpec(good)).not.toThrow();
    expect(gatewayOf(good)).toBe("10.231.99.1");
  });

  test("is refused with every problem at once, each with its path", () => {
    const bad: LabSpec = {
      name: "../up",
      subnet: "10.231.99.0/16",
      nodes: [
        { name: "node1", address: "10.231.99.1" },
        { name: "node1", address: "fe80::1" },
      ],
      prefetch: ["--yes"],
    };
    const message = problemOf(() => checkSpec(bad));
    const paths = ["name:", "subnet:", "nodes[0].address:", "nodes[1].address:", "nodes: two", "prefetch:"];
    for (const path of paths) expect(message).toContain(`\n  ${path}`);
  });

  test.each(["10.231.98.11", "10.231.99.0", "10.231.99.255", "10.231.99.300"])("has no host at %s", (address) => {
    const nodes = [{ name: "node1", address }];
    expect(problemOf(() => checkSpec({ ...good, nodes }))).toContain("nodes[0].address");
  });
});

describe("a lab that exists", () => {
  test("may get another node and other packages", () => {
    const nodes = [...good.nodes, { name: "node3", address: "10.231.99.13" }];
    expect(() => checkChange(good, { ...good, nodes, prefetch: [] })).not.toThrow();
  });

  test.each([
    ["subnet", { ...good, subnet: "10.231.98.0/24" }],
    ["address of a node", { ...good, nodes: [{ name: "node1", address: "10.231.99.21" }, ...good.nodes.slice(1)] }],
    ["set of nodes by one less", { ...good, nodes: good.nodes.slice(1) }],
  ])("does not change its %s", (_, wanted) => {
    expect(problemOf(() => checkChange(good, wanted))).toContain("Take it down first");
  });
});

function problemOf(action: () => void): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(LabError);
    return (error as Error).message;
  }
  return "";
}
