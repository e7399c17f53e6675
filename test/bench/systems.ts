import { until } from "../../scripts/roll/wait.ts";
import { asRoot, nodes } from "../support/machines.ts";
import { leader, patronictl, type Standby, untilWell } from "../support/patroni/patroni.ts";
import { type LabStack, primaryOf } from "../support/stack.ts";

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
  const healthy = () => stack.untilStatus("healthy", ({ healthy }) => healthy, 300);
  // As a person does whose command was refused, by a machine too busy to answer in time, say: again, while the writer waits.
  const untilDone = (verb: string) =>
    until(`harbor-ha ${verb}`, 180_000, async () => {
      const { code, stderr } = await stack.harborHa(verb, "--yes");
      if (code === 0) return true;
      console.error(`harbor-ha ${verb} ended with ${code}: ${stderr.trim()}`);
      if (code === 1) throw new Error(`harbor-ha ${verb} failed`);
      return false;
    });
  return {
    name: "harbor-ha",
    primary: async () => primaryOf(await healthy()),
    well: healthy,
    switchover: () => untilDone("switchover"),
    takeOver: () => untilDone("failover"),
    takeBack: async () => {
      await stack.untilStatus("both answer", ({ nodes }) => nodes.every(({ host }) => host));
      await untilDone("rejoin");
    },
  };
}

/** Decides and rejoins by itself. */
export function patroni(stack: LabStack, standby: Standby): System {
  return {
    name: standby === "Replica" ? "Patroni, defaults" : "Patroni, synchronous_mode",
    primary: leader,
    well: async () => {
      await untilWell(standby);
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
