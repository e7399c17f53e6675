import { confirm, isCancel } from "@clack/prompts";
import { Command } from "commander";
import { readInventory } from "../cluster/inventory.ts";
import { Cluster } from "../cluster/observe.ts";
import { plan, roll } from "../roll/run.ts";
import { UserError } from "../user-error.ts";

export function rollCommand(): Command {
  return new Command("roll")
    .description(
      "start what is down and restart what has new settings, in safe order: standby before primary, one Harbor after the other",
    )
    .option("--inventory <file>", "the pair's inventory (- for stdin; default: the stack's output)")
    .option("--dry-run", "only say what would be done first")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const cluster = new Cluster(await readInventory(options));
      try {
        const first = plan(cluster, await cluster.observe());
        if (options.dryRun || !options.yes) console.error(`Next: ${first}`);
        if (options.dryRun || first === "nothing to do") return;
        if (!options.yes) {
          if (!process.stdin.isTTY) throw new UserError("roll changes the pair: give --yes where nobody can be asked");
          const answer = await confirm({ message: "Go on, step by step, until nothing is left to do?" });
          if (isCancel(answer) || !answer) return;
        }
        const steps = await roll(cluster, (line) => console.error(line));
        console.log(
          options.json
            ? JSON.stringify({ steps })
            : `${steps.length === 0 ? "nothing to do" : `${steps.length} steps done`}`,
        );
      } finally {
        cluster.close();
      }
    });
}
