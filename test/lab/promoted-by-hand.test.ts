import { afterAll, beforeAll, expect, test } from "vitest";
import { LabStack } from "../support/stack.ts";

// The data primary is where it is found, not where the configuration once put it.
let stack: LabStack;

beforeAll(async () => {
  stack = await LabStack.fresh();
  await stack.ok("npm", "run", "-s", "lab");
});
afterAll(() => LabStack.remove());

const sql = async (node: string, statement: string) =>
  (
    await stack.withCluster((cluster) =>
      cluster.host(node).run("runuser -u postgres -- psql -XAtq", { input: statement }),
    )
  ).stdout.trim();

test("after node2 was promoted by hand and node1's data removed, roll makes node1 the standby, and up changes nothing", async () => {
  await sql("node1", "CREATE TABLE proof AS SELECT 1 AS kept");
  await stack.onHost("node1", "systemctl stop postgresql@17-main");
  await stack.onHost(
    "node2",
    "runuser -u postgres -- psql -Xqc \"ALTER SYSTEM SET synchronous_standby_names = ''\" -c 'SELECT pg_promote()' -c 'SELECT pg_reload_conf()'",
  );
  await stack.onHost("node1", "rm -rf /var/lib/postgresql/17/main");

  await stack.ok("harbor-ha", "roll", "--yes");
  const status = await stack.untilStatus("the pair is healthy", ({ healthy }) => healthy);
  expect(status.nodes.map(({ host }) => host?.postgres.role)).toEqual(["standby", "primary"]);
  expect(await sql("node1", "SELECT kept FROM proof")).toBe("1");
  await stack.ok("pulumi", "preview", "--expect-no-changes", "--non-interactive");
});

test("a restart-class setting then restarts node1 first, the primary node2 in place after it", async () => {
  await stack.ok("pulumi", "config", "set", "--path", "harbor-ha:postgres.sharedBuffersMb", "128");
  const { stdout } = await stack.ok("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
  const order = [...stdout.matchAll(/restart PostgreSQL on (node\d)/g)].map(([, node]) => node);
  expect([...new Set(order)]).toEqual(["node1", "node2"]);
  const status = await stack.status();
  expect(status.findings).toEqual([]);
  expect(status.nodes.map(({ host }) => host?.postgres.role)).toEqual(["standby", "primary"]);
});

test("two primaries are refused, and neither is touched", async () => {
  await stack.onHost("node2", "systemctl stop postgresql@17-main");
  await stack.onHost("node1", "runuser -u postgres -- psql -Xqc 'SELECT pg_promote()'");
  await stack.untilStatus("node1 is a primary", ({ nodes }) => nodes[0]?.host?.postgres.role === "primary");
  const refused = await stack.harborHa("roll", "--yes");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("Both nodes hold a primary's data");
  const status = await stack.status();
  expect(status.nodes.map(({ host }) => host?.postgres.role)).toEqual(["primary", "down"]);
});
