// What a writer and clients of the registry see of moves and losses: under our own commands, then, on the same hosts with the
// same database, under Patroni.

import { powerOff, powerOn } from "../../scripts/lab/lab.ts";
import { until } from "../../scripts/roll/wait.ts";
import { Load } from "../support/load.ts";
import { nodes } from "../support/machines.ts";
import { median } from "../support/median.ts";
import { beSynchronous, handOverToPatroni } from "../support/patroni/patroni.ts";
import { makeImage, type Registry } from "../support/registry.ts";
import { type LabStack, testStack } from "../support/stack.ts";
import { type Attempt, Writers } from "../support/writers/writers.ts";
import { harborHa, patroni, type System } from "./systems.ts";

export interface Moves {
  system: string;
  event: string;
  /** Seconds in which a writer got nothing acknowledged, at most, of each run. */
  pauses: number[];
  /** Requests to the registry that failed, of each run. */
  failed: number[];
  /** Writes that were acknowledged and are not there, of all runs. */
  lost: number;
}

/** The pair is Patroni's afterwards. */
export async function timeMoves(stack: LabStack, repeats: number): Promise<Moves[]> {
  const writers = await Writers.start(stack);
  try {
    const ours = await timeSystem(stack, writers, harborHa(stack), repeats);
    if (writers.twoPrimaries().length > 0 || ours.some(({ lost }) => lost > 0))
      throw new Error("two primaries, or acknowledged writes lost");
    await handOverToPatroni(stack);
    const asynchronous = await timeSystem(stack, writers, patroni(stack, "Replica"), repeats);
    await beSynchronous();
    const synchronous = await timeSystem(stack, writers, patroni(stack, "Sync Standby"), repeats);
    console.error(
      `${writers.acknowledged().length} writes acknowledged; moments of two primaries: ${writers.twoPrimaries().length}`,
    );
    return [...ours, ...asynchronous, ...synchronous];
  } finally {
    await writers.stop();
  }
}

async function timeSystem(stack: LabStack, writers: Writers, system: System, repeats: number): Promise<Moves[]> {
  const rows: Moves[] = [];
  const others = (dead: string) => nodes.map(({ name }) => name).filter((name) => name !== dead);
  const repeat = async (event: string, once: () => Promise<{ pause: number; failed: number }>) => {
    const before = (await writers.lost()).length;
    const row: Moves = { system: system.name, event, pauses: [], failed: [], lost: 0 };
    for (let run = 1; run <= repeats; run++) {
      const { pause, failed } = await once();
      await system.well();
      await writesGoOn(writers, others(""));
      row.pauses.push(pause);
      row.failed.push(failed);
      console.error(`${system.name}, ${event}: ${pause.toFixed(2)} s, ${failed} requests failed`);
    }
    row.lost = (await writers.lost()).length - before;
    rows.push(row);
  };

  await system.well();
  await repeat("switchover", () => measure(stack, writers, others(""), () => system.switchover()));
  await repeat("standby's node off", async () => {
    const standby = others(await system.primary())[0] ?? "";
    const seen = await measure(stack, writers, others(standby), () => powerOff(testStack, standby, console.error));
    await powerOn(testStack, standby, console.error);
    return seen;
  });
  await repeat("primary's node off", async () => {
    const primary = await system.primary();
    const seen = await measure(stack, writers, others(primary), async () => {
      await powerOff(testStack, primary, console.error);
      await system.takeOver();
    });
    await powerOn(testStack, primary, console.error);
    await system.takeBack();
    return seen;
  });
  return rows;
}

/** `survivors`: nodes whose writers live through the event; Harbor there uses the same way to the database. */
async function measure(stack: LabStack, writers: Writers, survivors: string[], event: () => Promise<unknown>) {
  const mark = writers.attempts.length;
  const load = await clients(await stack.registry());
  await load.passes();
  const early = load.failed.length;
  const began = Date.now();
  try {
    await event();
    await writesGoOn(writers, survivors);
    await load.passes();
  } finally {
    await load.stop();
  }
  const pauses = survivors.map((node) => longestPause(acknowledgedSince(mark, writers, node), began));
  const failed = load.failed.slice(early);
  const reasons = Object.groupBy(failed, ({ kind, reason }) => `${kind}: ${reason.replace(/\s+/g, " ").slice(0, 80)}`);
  for (const [reason, all] of Object.entries(reasons)) console.error(`  ${all?.length} × ${reason}`);
  return { pause: Math.max(...pauses), failed: failed.length };
}

/** Steady pulls, pushes, tokens and logins through the endpoint, each once a second. */
async function clients(registry: Registry): Promise<Load> {
  const repository = "library/moves";
  const image = makeImage([50_000]);
  await registry.push(repository, "pulled", image);
  const once = (request: () => Promise<unknown>) => ({ everyMs: 1_000, request });
  return new Load({
    pull: once(() => registry.pull(repository, image.digest)),
    push: once(() => registry.push(repository, `at-${Date.now()}`, makeImage([2_000]))),
    token: once(() => registry.token(repository)),
    login: once(() => registry.whoAmI()),
  });
}

const writesGoOn = (writers: Writers, on: string[]) => {
  const mark = writers.attempts.length;
  return until("writes go on", 180_000, async () =>
    on.every((node) => acknowledgedSince(mark, writers, node).length > 50),
  );
};

/** `mark`: number of attempts there were. To look at all of them again and again would cost the hosts their CPU. */
const acknowledgedSince = (mark: number, writers: Writers, node: string) =>
  writers.attempts
    .slice(mark)
    .filter(({ timeline, route, ...attempt }) => timeline !== undefined && route === "pooler" && attempt.node === node);

/** Seconds between two acknowledgements, of which the later came after that moment. */
export function longestPause(acknowledged: Pick<Attempt, "ended">[], from: number): number {
  const times = acknowledged.map(({ ended }) => ended).sort((a, b) => a - b);
  const pauses = times.slice(1).flatMap((at, index) => (at > from ? [at - (times[index] ?? at)] : []));
  return Math.max(0, ...pauses) / 1000;
}

export function movesTable(rows: Moves[]): string {
  const base = median(rows[0]?.pauses ?? []) || 1;
  const lines = rows.map(({ system, event, pauses, failed, lost }) => {
    const pause = median(pauses);
    return `| ${system} | ${event} | ${pauses.length} | ${pause.toFixed(2)} | ${Math.max(...pauses).toFixed(2)} | ${median(failed)} / ${Math.max(...failed)} | ${lost} | ${(pause / base).toFixed(2)} |`;
  });
  return [
    "| system | event | runs | writer's longest pause: median s | worst s | failed registry requests: median / worst | lost writes | × our switchover |",
    "|---|---|---|---|---|---|---|---|",
    ...lines,
  ].join("\n");
}
