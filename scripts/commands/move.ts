import type { Command } from "commander";
import type { InventoryOptions } from "../cluster/inventory.ts";
import { journalled } from "../cluster/journal.ts";
import { planWish, type Wish } from "../operations/plan.ts";
import { refused } from "../refusal.ts";
import { agreed, pairCommand, withPair } from "./pair.ts";

interface Options extends InventoryOptions, Omit<Wish, "verb"> {
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

const common = (verb: Wish["verb"]) =>
  pairCommand(verb)
    .option("--dry-run", "only say what would be done")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON object on stdout")
    .action((options: Options) => run(verb, options));

export function switchoverCommand(): Command {
  return common("switchover")
    .description("planned: the standby becomes the primary, and the primary the standby")
    .option("--to <node>", "the new primary (default: the standby)");
}

export function failoverCommand(): Command {
  return common("failover")
    .description("unplanned: the standby becomes the primary, after the lost one is proven to be off")
    .option("--to <node>", "the new primary (default: the standby); the old one ends a move that was not finished")
    .option("--lose-unreplicated-writes", "accept the loss of what the new primary does not hold")
    .option("--i-switched-it-off-by-hand", "the lost node is off: you have made sure of it yourself");
}

export function rejoinCommand(): Command {
  return common("rejoin").description("a former primary becomes the standby: rewound, or copied anew");
}

function run(verb: Wish["verb"], options: Options): Promise<void> {
  return withPair(options, async (cluster) => {
    const plan = await planWish(cluster, { ...options, verb });
    if (plan.kind === "refusal") throw refused(plan);
    const { rule, sentence } = plan;
    console.error(sentence);
    if (options.dryRun && options.json) console.log(JSON.stringify({ rule, sentence }));
    if (options.dryRun || !(await agreed(options, "Go on?"))) return;
    const { said, ...result } = await journalled(cluster, plan.reachable, { verb, sentence }, () =>
      plan.carryOut((line) => console.error(line)),
    );
    console.log(options.json ? JSON.stringify({ rule, sentence, ...result }) : said);
  });
}
