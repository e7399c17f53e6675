import type { Command } from "commander";
import { summarize } from "../cluster/summary.ts";
import { pairCommand, withPair } from "./pair.ts";

export function statusCommand(): Command {
  return pairCommand("status")
    .description("who is what, and what is wrong; reads only")
    .option("--json", "print one JSON object on stdout")
    .action((options) =>
      withPair(options, async (cluster) => {
        const summary = summarize(cluster.inventory, await cluster.observe());
        if (options.json) console.log(JSON.stringify(summary, null, 2));
        else console.error(summary.text);
        process.exitCode = summary.healthy ? 0 : summary.unknown ? 3 : 1;
      }),
    );
}
