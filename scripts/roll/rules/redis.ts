import { redisMaster, redisUnit } from "../../../components/model/units.ts";
import { address, marked, type Rule, script } from "../rule.ts";

/** Redis: one master, beside the PostgreSQL primary at first. */
export const redisRules: Rule[] = [
  {
    id: "redis.masters",
    when: "no node, or both, are to be the Redis master, and it is not the first time",
    decide: ({ nodes, primary }) => {
      const masters = nodes.filter((node) => node.host?.redis.configured === redisMaster);
      if (masters.length === 1) return undefined;
      // At the very first roll the primary's node becomes the master; a new master beside a replica would take its data.
      if (masters.length === 0 && primary?.host?.redis.configured === "") return undefined;
      return {
        sentence: `${masters.length === 0 ? "No node is" : "Both nodes are"} to be the Redis master.`,
        remedy:
          "decide which one it is, and make the other its replica: redis.sh role on the node, then harbor-ha roll",
        exitCode: 2,
      };
    },
  },
  {
    id: "redis.role",
    when: "Redis on a node has no role yet",
    decide: (facts) => {
      const { nodes, primary } = facts;
      const node = nodes.find((node) => node.host?.redis.configured === "");
      if (!node || !primary) return undefined;
      // A master that another node follows stays where it is; the first one goes beside the PostgreSQL primary.
      const master = nodes.find((other) => other.host?.redis.configured === redisMaster)?.name ?? primary.name;
      const args = node.name === master ? [] : [address(facts, master)];
      return {
        node: node.name,
        action: script("redis.sh", "role", ...args),
        sentence: `Redis on ${node.name} is the ${args.length > 0 ? "replica" : "master"}`,
      };
    },
  },
  {
    id: "redis.start",
    when: "a node's Redis is down: the master first",
    decide: ({ nodes }) => {
      const down = nodes.filter((node) => node.host?.redis.role === "down");
      const node = down.find((node) => node.host?.redis.configured === redisMaster) ?? down[0];
      return node && { node: node.name, action: script("redis.sh", "start"), sentence: `start Redis on ${node.name}` };
    },
  },
  {
    id: "redis.restart",
    when: "Redis on a node has settings that wait for a restart, and the other node is there: the replica first",
    decide: ({ nodes, inventory }) => {
      // The last node's serves on as it is.
      if (nodes.length < inventory.topology.nodes.length) return undefined;
      const waiting = nodes.filter((node) => marked(node, redisUnit));
      const node = waiting.find((node) => node.host?.redis.role === "slave") ?? waiting[0];
      return (
        node && {
          node: node.name,
          action: script("redis.sh", "restart"),
          sentence: `restart Redis on ${node.name} for changed settings`,
        }
      );
    },
  },
];
