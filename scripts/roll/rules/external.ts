import type { Rule } from "../rule.ts";

/** Servers of yours: tried in the way Harbor takes, before Harbor is installed or restarted against them. */
export const externalRules: Rule[] = [
  {
    id: "external.database",
    when: "a node cannot use the database of yours",
    decide: ({ nodes, inventory }) => {
      const node = nodes.find(({ host }) => host?.unreachable.database);
      return (
        node && {
          sentence: `${node.name} cannot use the database at ${inventory.topology.database?.host}: ${node.host?.unreachable.database}.`,
          remedy: "mend the server, or postgres.external, then run pulumi up again",
          exitCode: 2,
        }
      );
    },
  },
  {
    id: "external.redis",
    when: "a node cannot use the Redis of yours",
    decide: ({ nodes, inventory }) => {
      const node = nodes.find(({ host }) => host?.unreachable.redis);
      return (
        node && {
          sentence: `${node.name} cannot use Redis at ${inventory.topology.redis?.host}: ${node.host?.unreachable.redis}.`,
          remedy: "mend the server, or redis.external, then run pulumi up again",
          exitCode: 2,
        }
      );
    },
  },
];
