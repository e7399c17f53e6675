// `npm run chaos -- --seed S --runs N`: random faults on a lab of its own, under writers; after each the pair is led back by
// documented commands, and nothing acknowledged may be lost. A seed repeats its faults and moments.
import { parseArgs } from "node:util";
import { until } from "../../scripts/roll/wait.ts";
import { runProgram } from "../../scripts/run-program.ts";
import { UserError } from "../../scripts/user-error.ts";
import { seeded } from "../support/random.ts";
import { makeImage } from "../support/registry.ts";
import { LabStack } from "../support/stack.ts";
import { Writers } from "../support/writers/writers.ts";
import { faults } from "./faults.ts";
import { leadBack } from "./lead.ts";

const { values } = parseArgs({
  options: { seed: { type: "string" }, runs: { type: "string" }, only: { type: "string" } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6));
const runs = Number(values.runs ?? 20);
const names = Object.keys(faults).filter((name) => !values.only || name.includes(values.only));
const random = seeded(seed);

interface Row {
  runs: number;
  commands: number;
  /** Seconds from the end of the fault until the pair was healthy. */
  back: number[];
}
const rows = new Map<string, Row>();

await runProgram(async () => {
  if (names.length === 0) throw new UserError(`no fault is named like ${values.only}`);
  console.error(`seed ${seed}, ${runs} runs`);
  const stack = await LabStack.fresh();
  let writers: Writers | undefined;
  try {
    await stack.ok("npm", "run", "-s", "lab");
    writers = await Writers.start(stack);
    for (let run = 1; run <= runs; run++) await once(stack, writers, run);
    print(writers);
    return 0;
  } finally {
    await writers?.stop();
    await LabStack.remove();
  }
});

async function once(stack: LabStack, writers: Writers, run: number): Promise<void> {
  const name = names[Math.floor(random() * names.length)] as string;
  const { nodes } = await stack.status();
  const primary = nodes.find(({ host }) => host?.postgres.role === "primary")?.name ?? "node1";
  const standby = primary === "node1" ? "node2" : "node1";
  console.error(`run ${run}: ${name} (primary ${primary})`);
  await faults[name]?.({ stack, primary, standby, random });
  const began = performance.now();
  const commands = await leadBack(stack);
  const back = (performance.now() - began) / 1000;
  console.error(`  healthy after ${back.toFixed(1)} s${commands.length > 0 ? ` by ${commands.join("; ")}` : ""}`);
  const row = rows.get(name) ?? { runs: 0, commands: 0, back: [] };
  rows.set(name, { runs: row.runs + 1, commands: row.commands + commands.length, back: [...row.back, back] });

  const count = writers.acknowledged().length;
  await until("writes go on", 60_000, async () => writers.acknowledged().length > count + 20);
  const image = makeImage([20_000]);
  await (await stack.registry()).push("library/chaos", `run${run}`, image);
  await (await stack.registry(standby)).pull("library/chaos", image.digest);
  const wrong = [
    ...writers.twoPrimaries().map((pair) => `two primaries acknowledged at once: ${pair}`),
    ...(await writers.lost()).map((row) => `acknowledged and lost: ${row}`),
  ];
  if (wrong.length > 0)
    throw new UserError(
      `run ${run} of seed ${seed}, ${name}:\n${wrong.slice(0, 10).join("\n")}\nagain: npm run chaos -- --seed ${seed} --runs ${run}${values.only ? ` --only '${values.only}'` : ""}`,
    );
}

function print(writers: Writers): void {
  const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
  console.log("| fault | runs | commands that led back | healthy again: median s | worst s |\n|---|---|---|---|---|");
  for (const [name, { runs, commands, back }] of [...rows].sort())
    console.log(`| ${name} | ${runs} | ${commands} | ${median(back).toFixed(1)} | ${Math.max(...back).toFixed(1)} |`);
  console.log(
    `\n${runs} faults (seed ${seed}); ${writers.attempts.length} commits tried, ${writers.acknowledged().length} acknowledged; lost: 0; two primaries: 0 moments`,
  );
}
