import type { Command } from "commander";
import type { InventoryOptions } from "../cluster/inventory.ts";
import type { Cluster } from "../cluster/observe.ts";
import { follows, roleOf } from "../cluster/roles.ts";
import { move, planMove, rejoin, untilFollowing } from "../failover/run.ts";
import { refused } from "../refusal.ts";
import { agreed, pairCommand, withPair } from "./pair.ts";

interface Options extends InventoryOptions {
  to?: string;
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
  loseUnreplicatedWrites?: boolean;
  iSwitchedItOffByHand?: boolean;
}

const common = (command: Command) =>
  command
    .option("--dry-run", "only say what would be done")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON object on stdout");

export function switchoverCommand(): Command {
  return common(pairCommand("switchover"))
    .description("planned: the standby becomes the primary, and the primary the standby")
    .option("--to <node>", "the new primary (default: the standby)")
    .action((options: Options) => withPair(options, (cluster) => run(cluster, "switchover", options)));
}

export function failoverCommand(): Command {
  return common(pairCommand("failover"))
    .description("unplanned: the standby becomes the primary, after the lost one is proven to be off")
    .option("--to <node>", "the new primary (default: the standby); the old one ends a move that was not finished")
    .option("--lose-unreplicated-writes", "accept the loss of what the new primary does not hold")
    .option("--i-switched-it-off-by-hand", "the lost node is off: you have made sure of it yourself")
    .action((options: Options) => withPair(options, (cluster) => run(cluster, "failover", options)));
}

export function rejoinCommand(): Command {
  return common(pairCommand("rejoin"))
    .description("a former primary becomes the standby: rewound, or copied anew")
    .action((options: Options) =>
      withPair(options, async (cluster) => {
        const { node, primary } = await former(cluster);
        const log = (line: string) => console.error(line);
        log(`${node} becomes the standby of ${primary}: what ${node} alone holds is thrown away.`);
        if (options.dryRun || !(await agreed(options, "Go on?"))) return;
        const steps = await rejoin(cluster, node, primary, log);
        console.log(options.json ? JSON.stringify({ steps }) : `${node} is the standby`);
      }),
    );
}

async function run(cluster: Cluster, verb: "switchover" | "failover", options: Options): Promise<void> {
  const acceptLoss = options.loseUnreplicatedWrites === true;
  const { decision, observation } = await planMove(cluster, { verb, to: options.to, acceptLoss });
  if (decision.kind === "refusal") throw refused(decision);
  console.error(decision.sentence);
  if (options.dryRun || !(await agreed(options, "Go on?"))) return;
  const log = (line: string) => console.error(line);
  const steps = await move(
    cluster,
    decision,
    observation,
    { acceptLoss, fencedByHand: options.iSwitchedItOffByHand === true },
    log,
  );
  if (verb === "switchover" && !decision.goBack) {
    log("waiting until the new standby holds everything");
    await untilFollowing(cluster);
  }
  console.log(options.json ? JSON.stringify({ primary: decision.to, steps }) : `${decision.to} is the primary`);
}

/** The node whose data is a former primary's, by the record. */
async function former(cluster: Cluster): Promise<{ node: string; primary: string }> {
  const observation = await cluster.observe();
  const nodes = Object.values(observation);
  const { topology } = cluster.inventory;
  const primary = nodes.find((node) => roleOf(topology, node).runs === "primary");
  const belief = primary?.host?.record.belief;
  if (!primary || belief?.state !== "good" || belief.newest.primary !== primary.name || belief.newest.kind === "intent")
    throw refused({
      rule: "rejoin.no-primary",
      sentence: "No node runs as the primary that the record names.",
      remedy: "harbor-ha status says why",
    });
  const node = nodes.find(({ name }) => name !== primary.name);
  if (!node?.host)
    throw refused({
      rule: "rejoin.unreachable",
      sentence: `The other node cannot be reached (${node?.reason ?? "absent"}).`,
      remedy: "switch it on first",
      exitCode: 3,
    });
  if (roleOf(topology, node).runs === "standby" && follows(topology, primary, node))
    throw refused({
      rule: "rejoin.already",
      sentence: `${node.name} is the standby already.`,
      remedy: "nothing has to be done",
    });
  return { node: node.name, primary: primary.name };
}
