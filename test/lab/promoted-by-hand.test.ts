import { afterAll, beforeAll, expect, test } from "vitest";
import { LabStack } from "../support/stack.ts";

// The primary is where the record names it, not where the configuration once put it.
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

test("a primary that the record does not name is stopped, and roll starts none", async () => {
  await stack.onHost("node2", "runuser -u postgres -- psql -Xqc 'SELECT pg_promote(false)'");
  await stack.untilStatus("node2 is stopped", ({ nodes, findings }) => {
    const [, node2] = nodes;
    return node2?.host?.postgres.role === "down" && findings.some(({ id }) => id === "boot.other-primary");
  });
  const refused = await stack.harborHa("roll", "--yes");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("node2 holds a former primary's data; entry");
  const status = await stack.status();
  expect(status.nodes.map(({ host }) => host?.postgres.role)).toEqual(["primary", "down"]);
});

test("once the record is lost it can be adopted: it names the newest data, roll clones the other node, up changes nothing", async () => {
  const notLost = await stack.harborHa("record", "adopt", "--i-lost-the-record", "--yes");
  expect(notLost).toMatchObject({ code: 2, stderr: expect.stringContaining("[adopt.not-lost]") });
  // node2 is on a newer timeline than node1 since its promotion.
  await stack.onHost("node1", "rm -rf /mnt/harbor-ha/.harbor-ha/record");
  await stack.untilStatus("the loss is seen", ({ findings }) => findings.some(({ id }) => id === "record.unreadable"));
  expect((await stack.harborHa("roll", "--yes")).code).toBe(2);
  await stack.ok("harbor-ha", "record", "adopt", "--i-lost-the-record", "--yes");
  await stack.untilStatus("node2 is the primary, node1 was stopped", ({ nodes }) => {
    const [node1, node2] = nodes;
    return node1?.host?.postgres.role === "down" && node2?.host?.postgres.role === "primary";
  });
  await sql("node2", "CREATE TABLE proof AS SELECT 1 AS kept");
  await stack.onHost("node1", "rm -rf /var/lib/postgresql/17/main /var/lib/redis/role.conf");
  await stack.onHost("node2", "echo '# master' > /var/lib/redis/role.conf && systemctl restart redis-server");

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
