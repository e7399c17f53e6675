import { until } from "../../scripts/roll/wait.ts";
import { UserError } from "../../scripts/user-error.ts";
import { seeded } from "../support/random.ts";
import { makeImage } from "../support/registry.ts";
import type { LabStack } from "../support/stack.ts";
import { Writers } from "../support/writers/writers.ts";
import { faults } from "./faults.ts";
import { leadBack } from "./lead.ts";

export interface Row {
  name: string;
  runs: number;
  /** Commands that led back, in all runs. */
  commands: number;
  /** Seconds from the end of the fault until the pair was healthy, for each run. */
  back: number[];
}

export interface ChaosResult {
  rows: Row[];
  attempted: number;
  acknowledged: number;
}

/**
 * Breaks a healthy pair as often as said, under writers that go Harbor's own way to the database. Each fault of `names` comes once
 * before any comes again, in an order of the seed's.
 * @throws UserError that names seed and run if a write is lost, two nodes acknowledge at once, or no command leads back.
 */
export async function chaos(
  stack: LabStack,
  seed: number,
  runs: number,
  names: string[],
  eachDone: (result: ChaosResult) => void = () => {},
): Promise<ChaosResult> {
  const random = seeded(seed);
  const rows = new Map<string, Row>();
  const writers = await Writers.start(stack);
  const result = (): ChaosResult => ({
    rows: [...rows.values()].sort((a, b) => a.name.localeCompare(b.name)),
    attempted: writers.attempts.length,
    acknowledged: writers.acknowledged().length,
  });
  let deck: string[] = [];
  try {
    for (let run = 1; run <= runs; run++) {
      if (deck.length === 0) deck = shuffled(names, random);
      const name = deck.pop() as string;
      const row = rows.get(name) ?? { name, runs: 0, commands: 0, back: [] };
      rows.set(name, row);
      const primary = (await stack.primary()) || "node1";
      const standby = primary === "node1" ? "node2" : "node1";
      console.error(`run ${run}: ${name} (primary ${primary})`);
      await faults[name]?.({ stack, primary, standby, random, before: row.runs });
      const began = performance.now();
      const commands = await leadBack(stack);
      row.runs++;
      row.commands += commands.length;
      row.back.push((performance.now() - began) / 1000);
      console.error(
        `  healthy after ${row.back.at(-1)?.toFixed(1)} s${commands.length > 0 ? ` by ${commands.join("; ")}` : ""}`,
      );
      const wrong = await whatIsWrong(stack, writers, run, standby);
      if (wrong.length > 0)
        throw new UserError(`run ${run} of seed ${seed}, ${name}:\n${wrong.slice(0, 10).join("\n")}`);
      eachDone(result());
    }
    return result();
  } finally {
    await writers.stop();
  }
}

/** A healthy pair writes, stores, serves, and has every row that was acknowledged. */
async function whatIsWrong(stack: LabStack, writers: Writers, run: number, node: string): Promise<string[]> {
  const count = writers.acknowledged().length;
  await until("writes go on", 60_000, async () => writers.acknowledged().length > count + 20);
  const image = makeImage([20_000]);
  await (await stack.registry()).push("library/chaos", `run${run}`, image);
  await (await stack.registry(node)).pull("library/chaos", image.digest);
  return [
    ...writers.twoPrimaries().map((pair) => `two primaries acknowledged at once: ${pair}`),
    ...(await writers.lost()).map((row) => `acknowledged and lost: ${row}`),
  ];
}

function shuffled<T>(items: T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
