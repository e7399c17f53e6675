import { afterAll, beforeAll, expect, test } from "vitest";
import { labTopology } from "../../components/model/lab.ts";
import type { RecordEntry } from "../../components/model/record.ts";
import { initStack } from "../../scripts/init/stack.ts";
import { findInstaller } from "../../scripts/lab/installer.ts";
import { pullWhile } from "../support/pulls.ts";
import { makeImage } from "../support/registry.ts";
import { LabStack, primaryOf, testStack, testSubnet } from "../support/stack.ts";

// Moves as Pulumi resources: shown in the preview, done once, never repeated, never in the way of the command line.
let stack: LabStack;

beforeAll(async () => {
  stack = await LabStack.fresh();
});
afterAll(() => LabStack.remove());

const upOk = () => stack.ok("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
const preview = async () => (await stack.ok("pulumi", "preview", "--non-interactive")).stdout;
const unchanged = () => stack.ok("pulumi", "up", "--yes", "--expect-no-changes", "--non-interactive");
const healthy = () => stack.untilStatus("the pair is healthy", ({ healthy }) => healthy, 180);
const power = (node: string, state: "on" | "off") => stack.ok("harbor-ha", "lab", `power${state}`, node);
const set = (path: string, value: string | number | boolean) =>
  stack.ok("pulumi", "config", "set", "--path", `harbor-ha:${path}`, String(value));
const remove = (path: string) => stack.ok("pulumi", "config", "rm", "--path", `harbor-ha:${path}`);
const primary = async () => primaryOf(await healthy());
/** Number of the entry that made today's primary the primary. */
const epoch = async (): Promise<number> => {
  const { stdout } = await stack.ok("harbor-ha", "record", "show", "--json");
  const entries: RecordEntry[] = JSON.parse(stdout).entries;
  return entries.find(({ kind }) => kind === "done")?.epoch ?? 0;
};

test("in the file of a new stack it does nothing, and says so", async () => {
  const hostname = labTopology.virtualAddress(testSubnet);
  const installer = await findInstaller(console.error);
  await initStack(stack.env, testStack, { hostname, subnet: testSubnet, installer }, console.error);
  await set("operations.switchover.to", "node2");
  await set("operations.switchover.atEpoch", 2);
  await stack.ok("npm", "run", "-s", "lab");
  expect(await primary()).toBe("node1");
  expect(await stack.output("operation")).toContain("never acts on a new stack");
});

test("a switchover: the preview tells what it does, up does it without a failed pull, and a second up nothing", async () => {
  await set("operations.switchover.attempt", 2);
  expect(await preview()).toContain("operations.switchover: node2 becomes the primary in place of node1.");
  const image = makeImage([100_000]);
  await (await stack.registry()).push("library/moved", "1", image);
  const pulls = await pullWhile(await stack.registry(), "library/moved", image.digest, async () => {
    await upOk();
  });
  expect(pulls.failed).toEqual([]);
  expect(await primary()).toBe("node2");
  expect((await stack.output("operation")).trim()).toBe("node2 is the primary");
  await unchanged();
});

test("after a move by the command line a plain up changes nothing, and the preview says that it was overtaken", async () => {
  await stack.ok("harbor-ha", "switchover", "--yes");
  expect(await preview()).toMatch(/operations\.switchover: overtaken by entry \d+, which made node1 the primary/);
  await unchanged();
  expect(await primary()).toBe("node1");
});

test("a failed attempt is not repeated by the next up, but by the next attempt", async () => {
  await set("operations.switchover.atEpoch", await epoch());
  await set("operations.switchover.attempt", 1);
  await stack.onHost("node1", "chmod 0 /usr/local/lib/harbor-ha/pgbouncer.sh");
  const failed = await stack.run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
  expect(failed.code).not.toBe(0);
  expect(failed.stdout).toContain("nothing was moved");
  await stack.onHost("node1", "chmod 755 /usr/local/lib/harbor-ha/pgbouncer.sh");
  const again = await stack.run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
  expect(again.code).not.toBe(0);
  expect(again.stdout).toMatch(/Attempt 1 of .* failed .*set attempt: 2/s);
  expect(await primary()).toBe("node1");
  await set("operations.switchover.attempt", 2);
  await upOk();
  expect(await primary()).toBe("node2");
});

test("a failover of a lost node that is set absent, and the rejoin when it is back", async () => {
  await remove("operations.switchover");
  await power("node2", "off");
  await set("nodes.node2.absent", true);
  await set("operations.failover.to", "node1");
  await set("operations.failover.atEpoch", await epoch());
  expect(await preview()).toContain("operations.failover: node1 becomes the primary in place of node2.");
  await upOk();
  expect((await stack.output("operation")).trim()).toBe("node1 is the primary");
  const { nodes } = await stack.status();
  expect(nodes[0]?.host?.postgres.role).toBe("primary");

  await power("node2", "on");
  await remove("nodes.node2.absent");
  await remove("operations.failover");
  await set("operations.rejoin.atEpoch", await epoch());
  await upOk();
  expect((await stack.output("operation")).trim()).toBe("node2 is the standby");
  expect(await primary()).toBe("node1");
  await remove("operations");
  await upOk();
  await unchanged();
});
