import type { Operation } from "../../components/model/operation.ts";
import type { Cluster } from "../cluster/observe.ts";
import { decideRejoin } from "../failover/rejoin-rules.ts";
import { move, planMove, rejoin, untilFollowing } from "../failover/run.ts";
import type { Refusal } from "../refusal.ts";

type Log = (line: string) => void;

/** What a person or a stack asks for. */
export type Wish = Omit<Operation, "atEpoch" | "attempt">;

/** Something that may be done now. */
export interface Plan {
  kind: "plan";
  /** Stable id of the row that allows it. */
  rule: string;
  /** What is done, and what it costs; ends with the rule, as a refusal does. */
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
    rule: decision.rule,
    sentence: `${decision.sentence} [${decision.rule}]`,
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
  const decision = decideRejoin(cluster.inventory, await cluster.observe());
  if (decision.kind === "refusal") return decision;
  const { rule, node, primary } = decision;
  return {
    kind: "plan",
    rule,
    sentence: `${decision.sentence} [${rule}]`,
    reachable: [node, primary],
    carryOut: async (log) => ({
      primary,
      steps: await rejoin(cluster, node, primary, log),
      said: `${node} is the standby`,
    }),
  };
}
