import type { Inventory } from "../../components/model/inventory.ts";
import { settled } from "../../components/model/record.ts";
import { dataServices } from "../../components/model/topology.ts";
import { type NodeObservation, newestOf, type Observation } from "../cluster/observe.ts";
import { follows, roleOf } from "../cluster/roles.ts";
import type { Refusal } from "../refusal.ts";
import { firstOf, type Rule } from "./rules.ts";

/** The other node may become the primary's standby. */
export interface Rejoin {
  kind: "rejoin";
  /** Stable id of the row that allows it. */
  rule: string;
  node: string;
  primary: string;
  sentence: string;
}

interface Pair {
  inventory: Inventory;
  /** The node that runs as the primary that the settled record names. */
  primary?: NodeObservation;
  /** The one beside it. */
  node?: NodeObservation;
}

/** Why a rejoin is refused; first match wins. What none refuses may be done. */
export const rejoinRules: Rule<Pair>[] = [
  {
    id: "rejoin.yours",
    when: "PostgreSQL and Redis are servers of yours",
    decide: ({ inventory }) =>
      dataServices(inventory.topology).length === 0
        ? {
            sentence: "PostgreSQL and Redis of this pair are servers of yours: none of its nodes is a standby.",
            remedy: "their provider brings back what it has lost",
          }
        : undefined,
  },
  {
    id: "rejoin.no-primary",
    when: "no node runs as the primary that the settled record names",
    decide: ({ primary }) =>
      primary
        ? undefined
        : { sentence: "No node runs as the primary that the record names.", remedy: "harbor-ha status says why" },
  },
  {
    id: "rejoin.unreachable",
    when: "the other node does not answer, or is absent",
    decide: ({ node }) =>
      node?.host
        ? undefined
        : {
            sentence: `The other node cannot be reached (${node?.reason ?? "absent"}).`,
            remedy: "switch it on first",
            exitCode: 3,
          },
  },
  {
    id: "rejoin.already",
    when: "the other node runs as standby and gets what the primary writes",
    decide: ({ inventory: { topology }, primary, node }) =>
      primary && node && roleOf(topology, node).runs === "standby" && follows(topology, primary, node)
        ? { sentence: `${node.name} is the standby already.`, remedy: "nothing has to be done" }
        : undefined,
  },
];

/** The row of what may be done. */
export const rejoinAllowed = { id: "rejoin.standby", when: "anything else" };

/** Whether a node may become the standby, by exactly one row. Pure. */
export function decideRejoin(inventory: Inventory, observation: Observation): Rejoin | Refusal {
  const nodes = Object.values(observation);
  const running = nodes.find((node) => roleOf(inventory.topology, node).runs === "primary");
  const newest = running && newestOf(running);
  const primary = newest && settled(newest) && newest.primary === running.name ? running : undefined;
  const node = nodes.find(({ name }) => name !== running?.name);
  const refused = firstOf(rejoinRules, { inventory, primary, node });
  if (refused) return refused;
  const [rejoins, leads] = [node?.name ?? "", primary?.name ?? ""];
  return {
    kind: "rejoin",
    rule: rejoinAllowed.id,
    node: rejoins,
    primary: leads,
    sentence: `${rejoins} becomes the standby of ${leads}: what ${rejoins} alone holds is thrown away.`,
  };
}
