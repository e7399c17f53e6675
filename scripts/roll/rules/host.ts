import type { Rule } from "../rule.ts";

/** No decision is taken about a pair that is seen in part. */
export const hostRules: Rule[] = [
  {
    id: "host.unreachable",
    when: "a node cannot be asked",
    decide: ({ nodes }) => {
      const gone = nodes.find((node) => node.reach !== "up");
      return (
        gone && {
          sentence: `${gone.name} is ${gone.reach === "unknown" ? "reachable, but cannot be read" : "unreachable"}${gone.reason ? ` (${gone.reason})` : ""}.`,
          remedy: "bring it back (on the lab: harbor-ha lab poweron), then run harbor-ha roll",
          exitCode: 3,
        }
      );
    },
  },
  {
    id: "host.maintenance",
    when: "somebody works on a node",
    decide: ({ nodes }) => {
      const node = nodes.find(({ host }) => host?.maintenance);
      return (
        node && {
          sentence: `Somebody works on ${node.name} (harbor-ha maintenance, or another roll).`,
          remedy: "wait until that ends, then run harbor-ha roll",
          exitCode: 2,
        }
      );
    },
  },
  {
    id: "host.absent-first",
    when: "there is no record yet, and a node is absent by the configuration",
    decide: ({ nodes, newest, inventory }) =>
      !newest && nodes.length < inventory.topology.nodes.length
        ? {
            sentence: `There is no cluster record yet, and ${inventory.absent?.join()} is absent: it may hold the data.`,
            remedy: "a pair begins with both nodes: remove nodes.<node>.absent",
            exitCode: 2,
          }
        : undefined,
  },
];
