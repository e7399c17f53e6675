import type { Command } from "commander";
import { judge, parseOperation } from "../operations/judge.ts";
import { plan, roll } from "../roll/run.ts";
import { agreed, pairCommand, withPair } from "./pair.ts";

export function rollCommand(): Command {
  return pairCommand("roll")
    .description(
      "start what is down and restart what has new settings, in safe order: standby before primary, one Harbor after the other",
    )
    .option(
      "--operation <json>",
      "of the stack file, used by pulumi: a switchover that comes after this decides where the primary is",
    )
    .option("--dry-run", "only say what would be done first")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON object on stdout")
    .action((options) =>
      withPair(options, async (cluster) => {
        const first = plan(cluster, await cluster.observe());
        if (options.dryRun || !options.yes) console.error(`Next: ${first}`);
        if (options.dryRun || first === "nothing to do") return;
        if (!(await agreed(options, "Go on, step by step, until nothing is left to do?"))) return;
        const keepPrimary =
          options.operation !== undefined && (await judge(cluster, parseOperation(options.operation))).kind === "act";
        const steps = await roll(cluster, (line) => console.error(line), keepPrimary);
        console.log(
          options.json
            ? JSON.stringify({ steps })
            : `${steps.length === 0 ? "nothing to do" : `${steps.length} steps done`}`,
        );
      }),
    );
}
