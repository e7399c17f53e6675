import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labTopology } from "../../components/model/lab.ts";
import { until } from "../../scripts/roll/wait.ts";
import { LabStack, testSubnet } from "../support/stack.ts";

// What people are told through the notify hook, and what `durability: strict` promises.
let stack: LabStack;

interface Told {
  id: string;
  state: string;
  node: string;
  text: string;
}

beforeAll(async () => {
  stack = await LabStack.fresh();
  await stack.ok("npm", "run", "-s", "lab");
  await set("notify.command", "cat >> /var/log/told");
  await up();
});
afterAll(() => LabStack.remove());

const set = (path: string, value: string) => stack.ok("pulumi", "config", "set", "--path", `harbor-ha:${path}`, value);
const up = () => stack.ok("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
const healthy = () => stack.untilStatus("the pair is healthy", ({ healthy }) => healthy, 120);
const power = (node: string, state: "on" | "off") => stack.ok("harbor-ha", "lab", `power${state}`, node);

async function told(): Promise<Told[]> {
  const logs = await Promise.all(["node1", "node2"].map((node) => stack.onHost(node, "cat /var/log/told")));
  return logs.flatMap(({ stdout }) => stdout.split("\n").filter(Boolean)).map((line) => JSON.parse(line));
}
const untilTold = (node: string, id: string, state: string) =>
  until(`${node} tells people: ${id} ${state}`, 60_000, async () =>
    (await told()).some((message) => message.node === node && message.id === id && message.state === state),
  );

test("the hook is tried from each node", async () => {
  const { stdout } = await stack.ok("harbor-ha", "notify", "test");
  expect(stdout).toBe("node1: delivered\nnode2: delivered\n");
  expect((await told()).filter(({ id }) => id === "test").map(({ node }) => node)).toEqual(["node1", "node2"]);
});

test("a killed agent says that it is back", async () => {
  await stack.onHost("node1", "systemctl kill -s KILL harbor-ha-agent");
  await untilTold("node1", "agent-restarted", "event");
});

test("the standby's loss, and that it is over", async () => {
  await power("node2", "off");
  await untilTold("node1", "degraded", "raised");
  await power("node2", "on");
  await untilTold("node1", "degraded", "cleared");
  await healthy();
});

test("the primary's loss: nobody is primary, and the endpoint has moved", async () => {
  await power("node1", "off");
  await untilTold("node2", "no-primary", "raised");
  await untilTold("node2", "endpoint-moved", "event");
  await power("node1", "on");
  await untilTold("node2", "no-primary", "cleared");
  await healthy();
});

test("a record that cannot be read", async () => {
  await stack.ok("harbor-ha", "lab", "storage", "node2", "hangs");
  await untilTold("node2", "record-unreadable", "raised");
  await stack.ok("harbor-ha", "lab", "storage", "node2", "answers");
  await untilTold("node2", "record-unreadable", "cleared");
  await healthy();
});

test("a disk that fills", async () => {
  const size = "$(df -B1 --output=avail /var/lib/postgresql | tail -1)";
  await stack.onHost("node1", `fallocate -l $((${size} * 92 / 100)) /var/lib/postgresql/filler`);
  await untilTold("node1", "disk /var/lib/postgresql/17/main", "raised");
  await stack.onHost("node1", "rm /var/lib/postgresql/filler");
  await untilTold("node1", "disk /var/lib/postgresql/17/main", "cleared");
});

test("on a node in maintenance clients are elsewhere, what is stopped stays down, and all comes back with its end", async () => {
  const refused = await stack.harborHa("maintenance", "node1");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("[maintenance.primary]");

  const maintenance = stack.start("harbor-ha", "maintenance", "node2");
  const ended = once(maintenance, "exit");
  await stack.untilStatus("node2 is left alone", ({ nodes }) => {
    const host = nodes[1]?.host;
    return host?.maintenance === true && host.harbor.drained;
  });
  // It held the virtual address since the primary's loss.
  expect((await stack.status()).nodes[0]?.host?.addresses).toContain(labTopology.virtualAddress(testSubnet));
  await stack.onHost("node2", "systemctl stop postgresql@17-main");
  await until("the agent says why it starts nothing", 60_000, async () => {
    const { stdout } = await stack.onHost("node2", "journalctl -u harbor-ha-agent -o cat");
    return stdout.includes("postgresql@17-main.service is not started: somebody works on this node");
  });
  maintenance.kill("SIGINT");
  expect((await ended)[0]).toBe(0);
  await healthy();
});

test("with strict durability writes wait for the standby, status says so, and they go on with it", async () => {
  await set("postgres.durability", "strict");
  await up();
  await power("node2", "off");
  await stack.untilStatus("status says that writes wait", ({ findings }) =>
    findings.some(({ id, sentence }) => id === "postgres.standby-away" && sentence.includes("WAIT")),
  );
  const write = (seconds: number) =>
    stack.onHost(
      "node1",
      `timeout ${seconds} runuser -u postgres -- psql -XAtq -d registry -c 'CREATE TABLE strict_${seconds} ()'`,
    );
  // Twice the time after which they would go on otherwise.
  expect((await write(10)).code).toBe(124);
  expect((await stack.ok("harbor-ha", "record", "show")).stdout.split("\n")[0]).toMatch(/in sync: node2/);
  await power("node2", "on");
  await healthy();
  expect((await write(30)).code).toBe(0);
});
