import { Command } from "commander";
import { readInventory } from "../cluster/inventory.ts";
import { Cluster } from "../cluster/observe.ts";
import { summarize } from "../cluster/summary.ts";

export function statusCommand(): Command {
  return new Command("status")
    .description("who is what, and what is wrong; reads only")
    .option("--inventory <file>", "the pair's inventory (- for stdin; default: the stack's output)")
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const cluster = new Cluster(await readInventory(options));
      try {
        const summary = summarize(cluster.inventory, await cluster.observe());
        if (options.json) console.log(JSON.stringify(summary, null, 2));
        else console.error(summary.text);
        process.exitCode = summary.healthy ? 0 : summary.unknown ? 3 : 1;
      } finally {
        cluster.close();
      }
    });
}
