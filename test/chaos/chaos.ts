// `npm run chaos -- --seed S --runs N`: random faults on a lab of its own, under writers; after each the pair is led back by
// documented commands, and nothing acknowledged may be lost. A seed repeats its faults and moments.
import { parseArgs } from "node:util";
import { runProgram } from "../../scripts/run-program.ts";
import { UserError } from "../../scripts/user-error.ts";
import { median } from "../support/median.ts";
import { LabStack } from "../support/stack.ts";
import { faults } from "./faults.ts";
import { type ChaosResult, chaos } from "./run.ts";

const { values } = parseArgs({
  options: { seed: { type: "string" }, runs: { type: "string" }, only: { type: "string" } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6));
const runs = Number(values.runs ?? 20);
const names = Object.keys(faults).filter((name) => !values.only || name.includes(values.only));

await runProgram(async () => {
  if (names.length === 0)
    throw new UserError(`no fault is named like ${values.only}: ${Object.keys(faults).join("; ")}`);
  console.error(`seed ${seed}, ${runs} runs`);
  const stack = await LabStack.fresh();
  let last: ChaosResult | undefined;
  try {
    await stack.ok("npm", "run", "-s", "lab");
    await chaos(stack, seed, runs, names, (result) => {
      last = result;
    });
    return 0;
  } finally {
    if (last) print(last);
    await LabStack.remove();
  }
});

/** Also of a run that ends early: what was seen until then. */
function print({ rows, attempted, acknowledged }: ChaosResult): void {
  console.log("| fault | runs | commands that led back | healthy again: median s | worst s |\n|---|---|---|---|---|");
  for (const { name, runs, commands, back } of rows)
    console.log(`| ${name} | ${runs} | ${commands} | ${median(back).toFixed(1)} | ${Math.max(...back).toFixed(1)} |`);
  const done = rows.reduce((sum, row) => sum + row.runs, 0);
  console.log(
    `\n${done} faults (seed ${seed}) ended well; ${attempted} commits tried, ${acknowledged} acknowledged; lost: 0; two primaries: 0 moments`,
  );
}
