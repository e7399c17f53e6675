import { virtualAddressOf } from "../../../components/model/topology.ts";
import { dockerUnit, harborUnit, postgresUnit, redisUnit } from "../../../components/model/units.ts";
import { holdsEndpoint } from "../../cluster/observe.ts";
import { mayPause, type Rule } from "../rule.ts";

/** Units without a role, and where the virtual address begins. */
export const unitRules: Rule[] = [
  {
    id: "unit.restart",
    when: "a unit without a role has settings that wait for a restart (Docker only where Harbor serves nobody, or the other one serves too)",
    decide: ({ nodes }) => {
      for (const node of nodes) {
        const unit = node.host?.restartNeeded.find(
          (unit) =>
            ![postgresUnit, redisUnit, harborUnit].includes(unit) &&
            // Harbor's unit requires Docker's, and goes down and up with it.
            (unit !== dockerUnit || mayPause(nodes, node)),
        );
        if (unit)
          return {
            node: node.name,
            action: { do: "restart-unit", unit },
            sentence: `restart ${unit} on ${node.name} for changed settings`,
          };
      }
      return undefined;
    },
  },
  {
    id: "unit.start",
    when: "a unit without a role is down",
    decide: ({ nodes, inventory }) => {
      const units = ["docker", "harbor-ha-agent", "haproxy", "pgbouncer"];
      if (virtualAddressOf(inventory.topology)) units.push("keepalived");
      for (const node of nodes)
        for (const unit of units)
          if (node.host?.units[unit] !== "active")
            return {
              node: node.name,
              action: { do: "start-unit", unit: `${unit}.service` },
              sentence: `start ${unit} on ${node.name}`,
            };
      return undefined;
    },
  },
  {
    id: "endpoint.first",
    when: "Harbor was installed nowhere yet, and the virtual address is not beside the data",
    decide: ({ nodes, inventory, primary }) => {
      // Only before the first client: later the virtual address stays where it is.
      const fresh = nodes.every((node) => node.host?.harbor.installed === "");
      if (!fresh || !primary || !virtualAddressOf(inventory.topology) || holdsEndpoint(inventory, primary))
        return undefined;
      return {
        node: primary.name,
        action: { do: "take-endpoint" },
        sentence: `the virtual address begins on ${primary.name}, beside the data`,
      };
    },
  },
];
