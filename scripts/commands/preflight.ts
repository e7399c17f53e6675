import type { Command } from "commander";
import { preflight } from "../preflight/run.ts";
import { UserError } from "../user-error.ts";
import { pairCommand, withPair } from "./pair.ts";

export function preflightCommand(): Command {
  return pairCommand("preflight")
    .description("may we install here? asks both hosts, says everything that is wrong at once; reads only")
    .option("--json", "print one JSON object on stdout")
    .action((options) =>
      withPair(options, async (cluster) => {
        const problems = await preflight(cluster);
        if (options.json) console.log(JSON.stringify({ problems }, null, 2));
        if (problems.length > 0)
          throw new UserError(
            [
              `${problems.length === 1 ? "one thing keeps" : `${problems.length} things keep`} these hosts from becoming the pair:`,
              ...problems.map(({ id, sentence, remedy }) => `  ${sentence} → ${remedy} [${id}]`),
            ].join("\n"),
            2,
          );
        if (!options.json) console.log("both hosts may become nodes");
      }),
    );
}
