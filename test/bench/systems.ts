import { until } from "../../scripts/roll/wait.ts";
import { asRoot, nodes } from "../support/machines.ts";
import { leader, patronictl, untilWell } from "../support/patroni/patroni.ts";
import type { LabStack } from "../support/stack.ts";

/** Whatever keeps the pair's database alive. */
export interface System {
  name: string;
  primary(): Promise<string>;
  /** Until both nodes serve and nothing is left to be done. */
  well(): Promise<unknown>;
  switchover(): Promise<unknown>;
  /** What a person does when the primary's node has lost its power, and when it is back. */
  takeOver(): Promise<unknown>;
  takeBack(): Promise<unknown>;
}

export function harborHa(stack: LabStack): System {
  return {
    name: "harbor-ha",
    primary: async () => (await stack.status()).nodes.find(({ host }) => host?.postgres.role === "primary")?.name ?? "",
    well: () => stack.untilStatus("healthy", ({ healthy }) => healthy, 300),
    switchover: () => stack.ok("harbor-ha", "switchover", "--yes"),
    takeOver: () => stack.ok("harbor-ha", "failover", "--yes"),
    takeBack: async () => {
      await stack.untilStatus("both answer", ({ nodes }) => nodes.every(({ host }) => host));
      await stack.ok("harbor-ha", "rejoin", "--yes");
    },
  };
}

/** Decides and rejoins by itself. */
export function patroni(stack: LabStack): System {
  return {
    name: "Patroni",
    primary: leader,
    well: async () => {
      await untilWell();
      for (const { name } of nodes) {
        const registry = await stack.registry(name);
        await until(`Harbor on ${name} answers`, 300_000, () =>
          registry.call("GET", "/api/v2.0/ping").then(
            ({ status }) => status === 200,
            () => false,
          ),
        );
      }
    },
    switchover: async () => {
      const from = await leader();
      const to = nodes.find(({ name }) => name !== from)?.name;
      await asRoot(from, patronictl(`switchover harbor --leader ${from} --candidate ${to} --force`));
    },
    takeOver: async () => {},
    takeBack: async () => {},
  };
}
