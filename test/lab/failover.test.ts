import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RecordEntry } from "../../components/model/record.ts";
import { until } from "../../scripts/roll/wait.ts";
import { loadWhile } from "../support/load.ts";
import { stoppedAt } from "../support/operator.ts";
import { type Image, makeImage } from "../support/registry.ts";
import { LabStack } from "../support/stack.ts";
import { Writers } from "../support/writers/writers.ts";

// Moves of the primary, planned and not, under load; and operators that die in the middle of one.
let stack: LabStack;
let writers: Writers;
let image: Image;

beforeAll(async () => {
  stack = await LabStack.fresh();
  await stack.ok("npm", "run", "-s", "lab");
  writers = await Writers.start(stack);
  image = makeImage([200_000]);
  await (await stack.registry()).push("library/move", "1", image);
});
afterEach(async () => {
  await healthy();
  expect(writers.twoPrimaries()).toEqual([]);
  expect(await writers.lost()).toEqual([]);
});
afterAll(async () => {
  await writers?.stop();
  await LabStack.remove();
});

const healthy = () => stack.untilStatus("the pair is healthy", ({ healthy }) => healthy, 180);
const primary = () => stack.primary();
const other = (node: string) => (node === "node1" ? "node2" : "node1");
const power = (node: string, state: "on" | "off") => stack.ok("harbor-ha", "lab", `power${state}`, node);
const entries = async (): Promise<RecordEntry[]> =>
  JSON.parse((await stack.ok("harbor-ha", "record", "show", "--json")).stdout).entries;

test("switchovers there and back: no client notices, and Harbor's files and containers stay as they are", async () => {
  const before = await stack.harborOf("node1");
  const load = await loadWhile(await stack.registry(), "library/move", image, async () => {
    for (let count = 0; count < 2; count++) {
      const from = await primary();
      const { stdout } = await stack.ok("harbor-ha", "switchover", "--yes");
      expect(stdout.trim()).toBe(`${other(from)} is the primary`);
      expect(await primary()).toBe(other(from));
    }
  });
  expect(load.failures()).toEqual([]);
  expect(await stack.harborOf("node1")).toBe(before);
});

test("the primary's node is lost: failover, then rejoin when it is back", async () => {
  const lost = await primary();
  await power(lost, "off");
  const refused = await stack.harborHa("switchover", "--yes");
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("harbor-ha failover --to")]);
  const { stdout } = await stack.ok("harbor-ha", "failover", "--yes");
  expect(stdout.trim()).toBe(`${other(lost)} is the primary`);
  const count = writers.acknowledged().length;
  await stack.untilStatus("writes go on", () => writers.acknowledged().length > count + 20);
  await power(lost, "on");
  await stack.untilStatus("the former primary stays down and says why", ({ findings }) =>
    findings.some(({ id, node }) => id === "boot.other-primary" && node === lost),
  );
  expect((await stack.harborHa("roll", "--yes")).stderr).toContain("harbor-ha rejoin");
  await stack.ok("harbor-ha", "rejoin", "--yes");
});

test("a standby that missed acknowledged writes is promoted only by a flag named after the loss", async () => {
  const first = await primary();
  await power(other(first), "off");
  await stack.untilStatus("writes go on without it", ({ findings }) =>
    findings.some(({ sentence }) => sentence.includes("writes go on without it")),
  );
  await power(first, "off");
  await power(other(first), "on");
  await stack.untilStatus("the standby is up", ({ nodes }) =>
    nodes.some(({ name, host }) => name !== first && host?.postgres.role === "standby"),
  );
  const refused = await stack.harborHa("failover", "--yes");
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("--lose-unreplicated-writes")]);
  await power(first, "on");
});

test("a former primary whose data cannot be rewound is copied anew", async () => {
  const lost = await primary();
  await power(lost, "off");
  await stack.ok("harbor-ha", "failover", "--yes");
  await power(lost, "on");
  await stack.untilStatus("it answers", ({ nodes }) => nodes.every(({ host }) => host));
  await stack.onHost(lost, "rm -f /var/lib/postgresql/17/main/global/pg_control");
  await stack.ok("harbor-ha", "rejoin", "--yes");
});

test("a standby that cannot follow any more is copied anew", async () => {
  const standby = other(await primary());
  await stack.onHost(
    standby,
    `systemctl stop postgresql@17-main
    echo "primary_conninfo = 'host=127.0.0.9'" >> /var/lib/postgresql/17/main/postgresql.auto.conf`,
  );
  await stack.untilStatus("it does not follow", ({ findings }) =>
    findings.some(({ id }) => id === "postgres.standby-away"),
  );
  expect((await stack.ok("harbor-ha", "rejoin", "--yes")).stderr).toContain("it was copied anew");
});

test("a transaction that does not end keeps a switchover from beginning: it is named, and Harbor goes on", async () => {
  const before = await entries();
  const psql = "PGPASSFILE=/etc/harbor-ha/harbor.pgpass psql -XqAt -h 127.0.0.1 -p 6432 -U harbor -w registry";
  const long = stack.onHost("node1", `${psql} -c 'SELECT 1, pg_sleep(40)'`);
  await until("it runs", 30_000, async () => {
    const running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT 1, pg_sleep(40)'";
    return (
      (await stack.onHost(await primary(), `runuser -u postgres -- psql -XAtqc "${running}"`)).stdout.trim() === "1"
    );
  });
  const { code, stderr } = await stack.harborHa("switchover", "--yes");
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(
      /psql has been running a transaction for \d+ s: SELECT 1, pg_sleep.*\[switchover\.not-paused\]/,
    ),
  ]);
  expect((await stack.onHost("node2", `${psql} -c 'SELECT 2'`)).stdout.trim()).toBe("2");
  expect(await entries()).toEqual(before);
  expect((await long).code).toBe(0);
});

test("wrong wishes are refused in one sentence, and nothing is touched", async () => {
  const before = await entries();
  const now = await primary();
  for (const [args, id] of [
    [["switchover", "--to", "node3"], "move.unknown-node"],
    [["switchover", "--to", now], "move.already-there"],
    [["failover"], "failover.primary-serves"],
    [["rejoin"], "rejoin.already"],
  ] as const) {
    const { code, stderr } = await stack.harborHa(...args, "--yes");
    expect([code, stderr]).toEqual([2, expect.stringContaining(`[${id}]`)]);
  }
  expect(await entries()).toEqual(before);
});

test("of two operators at once one moves the primary, and the other is told", async () => {
  const from = await primary();
  const results = await Promise.all([1, 2].map(() => stack.harborHa("switchover", "--yes")));
  expect(results.map(({ code }) => code === 0).sort()).toEqual([false, true]);
  await stack.untilStatus("one of them has moved it", ({ nodes }) =>
    nodes.some(({ name, host }) => name === other(from) && host?.postgres.role === "primary"),
  );
});

describe("an operator that is killed", () => {
  const killedAt = (count: number, ...args: string[]) => stoppedAt(stack, count, "SIGKILL", ...args);

  test("at any step of a switchover: the same command ends it", async () => {
    for (let step = 1; step <= 10; step++) {
      const from = await primary();
      const killed = await killedAt(step, "switchover", "--yes", "--to", other(from));
      if (!killed) break;
      console.error(`killed at: ${killed.said}`);
      const again = await stack.harborHa("switchover", "--yes", "--to", other(from));
      if (again.code !== 0) expect(again.stderr).toMatch(/move\.already-there|switchover\.not-streaming/);
      if ((await stack.status()).nodes.some(({ host }) => host?.postgres.boot.start === "no"))
        await stack.ok("harbor-ha", "rejoin", "--yes");
      await healthy();
      expect(writers.twoPrimaries()).toEqual([]);
    }
  });

  test("after the promotion, and the new primary loses its power before anything is settled: the same move ends it", async () => {
    const to = other(await primary());
    await stoppedAt(stack, 6, "SIGKILL", "switchover", "--yes");
    await power(to, "off");
    await power(to, "on");
    await stack.untilStatus("it answers", ({ nodes }) => nodes.every(({ host }) => host));
    await stack.ok("harbor-ha", "failover", "--yes", "--to", to);
    await healthy();
    expect(await primary()).toBe(to);
  });

  test("with an intent open: failover --to the old primary ends the move where it began", async () => {
    const from = await primary();
    // In its fourth step the former primary goes down, and Redis is handed over.
    await killedAt(4, "switchover", "--yes");
    expect((await entries())[0]).toMatchObject({ kind: "intent", primary: other(from) });
    await stack.ok("harbor-ha", "failover", "--yes", "--to", from);
    expect((await entries()).find(({ kind }) => kind === "aborted")).toMatchObject({ primary: from });
    await healthy();
    expect(await primary()).toBe(from);
  });
});
