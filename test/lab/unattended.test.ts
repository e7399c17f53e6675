import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seeded } from "../support/random.ts";
import { LabStack } from "../support/stack.ts";
import { Writers } from "../support/writers/writers.ts";

// Faults that need no decision: whatever is killed or loses its power comes back by itself, and nothing acknowledged is lost.
const seed = Number(process.env.SEED ?? 1);
const runs = Number(process.env.RUNS ?? 60);
const random = seeded(seed);
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

const killed = (what: string) => `pkill -9 ${what}`;
const onHost = {
  "kill agent": killed("-f agent.cjs"),
  "kill PostgreSQL": "systemctl kill -s KILL postgresql@17-main",
  "kill postmaster": "kill -9 $(head -1 /var/lib/postgresql/17/main/postmaster.pid)",
  "kill Redis": killed("redis-server"),
  "kill PgBouncer": killed("pgbouncer"),
  "kill HAProxy": "systemctl kill -s KILL haproxy",
  "kill keepalived": "systemctl kill -s KILL keepalived",
  "kill dockerd": "systemctl kill -s KILL docker",
  reboot: "systemctl reboot",
} as const;
type Fault = keyof typeof onHost | "power off and on";
const faults = [...Object.keys(onHost), "power off and on"] as Fault[];

let stack: LabStack;
let writers: Writers;

beforeAll(async () => {
  stack = await LabStack.fresh();
  await stack.ok("npm", "run", "-s", "lab");
  writers = await Writers.start(stack);
});
afterAll(async () => {
  await writers?.stop();
  await LabStack.remove();
});

const inflict = async (node: string, fault: Fault) => {
  if (fault !== "power off and on") {
    await stack.onHost(node, `nohup sh -c "${onHost[fault]}" >/dev/null 2>&1 &`);
    return;
  }
  await stack.ok("harbor-ha", "lab", "poweroff", node);
  // With and without a degraded period in between.
  await setTimeout(random() * 12_000);
  await stack.ok("harbor-ha", "lab", "poweron", node);
};

test(`${runs} seeded faults (seed ${seed}) on one or both nodes: the pair is healthy again by itself each time`, async () => {
  for (let run = 1; run <= runs; run++) {
    const nodes = pick([["node1"], ["node2"], ["node1", "node2"], ["node2", "node1"]]);
    const plan = nodes.map((node) => ({ node, fault: pick(faults) }));
    console.error(`run ${run}: ${plan.map(({ node, fault }) => `${node} ${fault}`).join(", ")}`);
    await Promise.all(plan.map(({ node, fault }) => inflict(node, fault)));
    const began = writers.acknowledged().length;
    await stack.untilStatus(`healthy after run ${run}`, ({ healthy }) => healthy, 240);
    await stack.untilStatus("writes go on", () => writers.acknowledged().length > began + 20, 60);
    expect(writers.twoPrimaries()).toEqual([]);
    if (run % 10 === 0 || run === runs) expect(await writers.lost()).toEqual([]);
  }
  console.error(`${writers.attempts.length} commits tried, ${writers.acknowledged().length} acknowledged, none lost`);
}, 7_200_000);
