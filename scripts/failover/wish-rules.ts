import { presentNodes } from "../../components/model/inventory.ts";
import { settled } from "../../components/model/record.ts";
import { dataServices } from "../../components/model/topology.ts";
import type { NodeObservation } from "../cluster/observe.ts";
import type { MoveFacts, Names, Rule } from "./rules.ts";

/** Why a wish is refused before anybody's part in it is known; first match wins. */
export const wishRules: Rule<MoveFacts>[] = [
  {
    id: "move.yours",
    when: "PostgreSQL and Redis are servers of yours",
    decide: ({ inventory }) =>
      dataServices(inventory.topology).length === 0
        ? {
            sentence: "PostgreSQL and Redis of this pair are servers of yours: nothing on its nodes has to be moved.",
            remedy: "use their provider's own switchover; without one of the nodes Harbor goes on by itself",
          }
        : undefined,
  },
  {
    id: "move.unknown-node",
    when: "`--to` names no node",
    decide: ({ inventory, to }) => {
      const names = inventory.topology.nodes.map(({ name }) => name);
      return to === undefined || names.includes(to)
        ? undefined
        : { sentence: `There is no node ${to}.`, remedy: `the nodes are ${names.join(" and ")}` };
    },
  },
  {
    id: "move.absent",
    when: "`--to` names a node that the configuration says is absent",
    decide: ({ inventory, to }) =>
      to === undefined || presentNodes(inventory).some(({ name }) => name === to)
        ? undefined
        : { sentence: `${to} is absent by the configuration.`, remedy: `remove nodes.${to}.absent` },
  },
  {
    id: "move.record-unreadable",
    when: "no settled entry of the record can be read, or the target (for a switchover: either node) does not trust it",
    decide: (facts) => {
      const parts = partsOf(facts);
      // Only the target must trust the record; the other node may have lost its storage with everything else.
      const distrusted = Object.values(facts.observation).find(
        ({ name, host }) =>
          host?.record.belief.state === "unreadable" &&
          (!parts || facts.verb === "switchover" || name === parts.to.name),
      );
      const belief = distrusted?.host?.record.belief;
      if (parts && !belief) return undefined;
      return {
        sentence:
          belief?.state === "unreadable"
            ? `${distrusted?.name} does not trust the cluster record: ${belief.reason}.`
            : "The cluster record cannot be read.",
        remedy: "bring its storage back: without it nobody can tell which writes a node holds",
      };
    },
  },
];

/** Everybody's part in what is wished; undefined: the record has no settled entry that could be read. */
export function partsOf({ inventory, observation, entries, to }: MoveFacts): Names | undefined {
  const before = entries?.find(settled);
  const [newest] = entries ?? [];
  if (!before || !newest) return undefined;
  const other = (name: string) => inventory.topology.nodes.find((node) => node.name !== name)?.name ?? "";
  // Without a wish an unfinished move goes on, and a new one goes to the other node.
  const target = to ?? (settled(newest) ? other(before.primary) : newest.primary);
  const seen = (name: string): NodeObservation => observation[name] ?? { name, reach: "absent" };
  return { newest, before, to: seen(target), from: seen(other(target)) };
}
