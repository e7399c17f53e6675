import type { Operation } from "../../components/model/operation.ts";
import type { Cluster } from "../cluster/observe.ts";
import { follows, roleOf } from "../cluster/roles.ts";
import { move, planMove, rejoin, untilFollowing } from "../failover/run.ts";
import { type Refusal, refuse } from "../refusal.ts";

type Log = (line: string) => void;

/** What a person or a stack asks for. */
export type Wish = Omit<Operation, "atEpoch" | "attempt">;

/** Something that may be done now. */
export interface Plan {
  kind: "plan";
  /** What is done, and what it costs. */
  sentence: string;
  /** Nodes that answered. */
  reachable: string[];
  carryOut(log: Log): Promise<{ primary: string; steps: string[]; said: string }>;
}

/** What may be done about a wish, from one observation. Reads only. */
export async function planWish(cluster: Cluster, wish: Wish): Promise<Plan | Refusal> {
  const { verb } = wish;
  if (verb === "rejoin") return planRejoin(cluster);
  const acceptLoss = wish.loseUnreplicatedWrites === true;
  const { decision, observation } = await planMove(cluster, { verb, to: wish.to, acceptLoss });
  if (decision.kind === "refusal") return decision;
  return {
    kind: "plan",
    sentence: decision.sentence,
    reachable: Object.values(observation).flatMap(({ name, reach }) => (reach === "up" ? [name] : [])),
    async carryOut(log) {
      const fencedByHand = wish.iSwitchedItOffByHand === true;
      const steps = await move(cluster, decision, observation, { acceptLoss, fencedByHand }, log);
      if (verb === "switchover" && !decision.goBack) {
        log("waiting until the new standby holds everything");
        await untilFollowing(cluster);
      }
      return { primary: decision.to, steps, said: `${decision.to} is the primary` };
    },
  };
}

/** The node whose data is a former primary's, by the record, becomes the standby. */
async function planRejoin(cluster: Cluster): Promise<Plan | Refusal> {
  const { topology } = cluster.inventory;
  const nodes = Object.values(await cluster.observe());
  const primary = nodes.find((node) => roleOf(topology, node).runs === "primary");
  const belief = primary?.host?.record.belief;
  if (!primary || belief?.state !== "good" || belief.newest.primary !== primary.name || belief.newest.kind === "intent")
    return refuse(
      "rejoin.no-primary",
      "No node runs as the primary that the record names.",
      "harbor-ha status says why",
    );
  const node = nodes.find(({ name }) => name !== primary.name);
  if (!node?.host)
    return refuse(
      "rejoin.unreachable",
      `The other node cannot be reached (${node?.reason ?? "absent"}).`,
      "switch it on first",
      3,
    );
  if (roleOf(topology, node).runs === "standby" && follows(topology, primary, node))
    return refuse("rejoin.already", `${node.name} is the standby already.`, "nothing has to be done");
  return {
    kind: "plan",
    sentence: `${node.name} becomes the standby of ${primary.name}: what ${node.name} alone holds is thrown away.`,
    reachable: [node.name, primary.name],
    carryOut: async (log) => ({
      primary: primary.name,
      steps: await rejoin(cluster, node.name, primary.name, log),
      said: `${node.name} is the standby`,
    }),
  };
}
