import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Summary } from "../../scripts/cluster/summary.ts";
import { LabStack } from "../support/stack.ts";
import { Writers } from "../support/writers/writers.ts";

// Storage that hangs, dies, fills or goes back: the pair keeps serving where it may, and never starts on what it cannot trust.
let stack: LabStack;
let writers: Writers;

beforeAll(async () => {
  stack = await LabStack.fresh();
  await stack.ok("npm", "run", "-s", "lab");
  writers = await Writers.start(stack);
});
afterEach(async () => {
  expect(writers.twoPrimaries()).toEqual([]);
});
afterAll(async () => {
  await writers?.stop();
  await LabStack.remove();
});

const ids = ({ findings }: Summary) => findings.map(({ id }) => id);
const storage = (node: string, state: string) => stack.ok("harbor-ha", "lab", "storage", node, state);
const healthy = () => stack.untilStatus("healthy", ({ healthy }) => healthy);
const roles = async () => (await stack.status()).nodes.map(({ host }) => host?.postgres.role);
const primaryAnswers = async () =>
  (
    await stack.onHost(
      "node1",
      "curl -s -m 5 -o /dev/null -w '%{http_code}' http://$(hostname -i | cut -d' ' -f1):8008/primary",
    )
  ).stdout;
const writesGoOn = async () => {
  const before = writers.acknowledged().length;
  await stack.untilStatus("writes go on", () => writers.acknowledged().length > before + 20);
};

test("hung on both nodes: the primary serves on while the peer answers, also after its agent was killed", async () => {
  for (const node of ["node1", "node2"]) await storage(node, "hangs");
  await stack.untilStatus(
    "both nodes say so",
    (summary) => summary.findings.filter(({ id }) => id === "record.unreadable").length === 2,
  );
  await writesGoOn();
  await stack.onHost("node1", "systemctl kill -s KILL harbor-ha-agent");
  await stack.untilStatus("the agent is back", ({ nodes }) => nodes[0]?.host?.units["harbor-ha-agent"] === "active");
  await writesGoOn();
  expect(await primaryAnswers()).toBe("200");
  const refused = await stack.harborHa("roll", "--yes");
  expect(refused.code).toBe(2);
  for (const node of ["node1", "node2"]) await storage(node, "answers");
  await healthy();
});

test("hung, and the peer without power: the primary stops after its time alone, and starts when the storage answers", async () => {
  await storage("node1", "hangs");
  await stack.ok("harbor-ha", "lab", "poweroff", "node2");
  await stack.untilStatus("node1 has stopped", ({ nodes }) => nodes[0]?.host?.postgres.role === "down");
  await stack.untilStatus("and says why", (summary) => ids(summary).includes("boot.record-unreadable"));
  await storage("node1", "answers");
  await stack.untilStatus("node1 starts again", ({ nodes }) => nodes[0]?.host?.postgres.role === "primary");
  await writesGoOn();
  await stack.ok("harbor-ha", "lab", "poweron", "node2");
  await healthy();
});

test("dead on the standby's node: it says so, and a power cycle mends it", async () => {
  await storage("node2", "dead");
  await stack.untilStatus("it is noticed", (summary) => ids(summary).includes("record.unreadable"));
  await writesGoOn();
  await stack.ok("harbor-ha", "lab", "poweroff", "node2");
  await stack.ok("harbor-ha", "lab", "poweron", "node2");
  await healthy();
});

test("read-only on the primary's node: nothing can be recorded, so writes wait for a lost standby until it is writable", async () => {
  await stack.onHost("node1", "mount -o remount,bind,ro /mnt/harbor-ha");
  await stack.ok("harbor-ha", "lab", "poweroff", "node2");
  await stack.untilStatus("writes wait", ({ findings }) =>
    findings.some(({ id, sentence }) => id === "postgres.standby-away" && sentence.includes("WAIT")),
  );
  const { stdout } = await stack.onHost("node1", "timeout 8 journalctl -u harbor-ha-agent -f -o cat | grep -m1 claim:");
  expect(stdout).toContain("EROFS");
  await stack.onHost("node1", "mount -o remount,bind,rw /mnt/harbor-ha");
  await stack.untilStatus("writes go on without the standby", ({ findings }) =>
    findings.some(({ sentence }) => sentence.includes("writes go on without it")),
  );
  await writesGoOn();
  await stack.ok("harbor-ha", "lab", "poweron", "node2");
  await healthy();
});

test.each([
  ["went back", "rm $(ls -d /mnt/harbor-ha/.harbor-ha/record/*.json | tail -1)", "it went back"],
  [
    "is another cluster's",
    'sed -i \'s/"systemIdentifier": "[0-9]*"/"systemIdentifier": "42"/\' $(ls -d /mnt/harbor-ha/.harbor-ha/record/*.json | tail -1)',
    "that of another database",
  ],
  ["is gone", "rm -r /mnt/harbor-ha/.harbor-ha/record", "the record is empty"],
])("a record that %s: nobody starts writable on it, until the right one is back", async (_, damage, reason) => {
  await stack.onHost("node1", "cp -a /mnt/harbor-ha/.harbor-ha/record /root/record");
  await stack.onHost("node1", damage);
  await stack.untilStatus("it is not believed", ({ findings }) =>
    findings.some(({ id, sentence }) => id === "record.unreadable" && sentence.includes(reason)),
  );
  expect(await roles()).toEqual(["primary", "standby"]);
  await stack.ok("harbor-ha", "lab", "poweroff", "node1");
  await stack.ok("harbor-ha", "lab", "poweron", "node1");
  await stack.untilStatus("node1 stays down and says why", (summary) =>
    ids(summary).includes("boot.record-unreadable"),
  );
  expect(await roles()).toEqual(["down", "standby"]);
  await stack.onHost(
    "node1",
    "rm -rf /mnt/harbor-ha/.harbor-ha/record && cp -a /root/record /mnt/harbor-ha/.harbor-ha/record && rm -r /root/record",
  );
  await healthy();
});

test("full power loss while degraded: the newer data starts, the other node waits as its standby", async () => {
  await stack.ok("harbor-ha", "lab", "poweroff", "node2");
  await stack.untilStatus("writes go on without the standby", ({ findings }) =>
    findings.some(({ sentence }) => sentence.includes("writes go on without it")),
  );
  await writesGoOn();
  await stack.ok("harbor-ha", "lab", "poweroff", "node1");
  await stack.ok("harbor-ha", "lab", "poweron", "node2");
  await stack.untilStatus("node2 waits", ({ nodes }) => nodes[1]?.host?.postgres.role === "standby");
  await stack.ok("harbor-ha", "lab", "poweron", "node1");
  await healthy();
  expect(await roles()).toEqual(["primary", "standby"]);
  expect(await writers.lost()).toEqual([]);
});
