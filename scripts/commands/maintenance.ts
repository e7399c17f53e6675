import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Command } from "commander";
import { peerOf } from "../../components/model/topology.ts";
import { underMaintenance } from "../cluster/maintenance.ts";
import { type Cluster, holdsEndpoint, type NodeObservation, type Observation } from "../cluster/observe.ts";
import { roleOf } from "../cluster/roles.ts";
import { refused } from "../refusal.ts";
import { drained } from "../roll/harbor.ts";
import { takeEndpoint } from "../roll/run.ts";
import { pairCommand, withPair } from "./pair.ts";

export function maintenanceCommand(): Command {
  return pairCommand("maintenance")
    .description("work on a node in peace: no clients, its agent starts nothing and tells nobody, until this ends")
    .argument("<node>", "the node; not the primary")
    .argument("[command...]", "run this meanwhile, after --, and end with it (default: until Ctrl-C)")
    .action((node: string, command: string[], options) =>
      withPair(options, async (cluster) => {
        const seen = refuse(cluster, node, await cluster.observe());
        if (holdsEndpoint(cluster.inventory, seen)) {
          const other = peerOf(cluster.inventory.topology, node).name;
          console.error(`the virtual address moves to ${other}`);
          await takeEndpoint(cluster, other);
        }
        await underMaintenance(cluster, [node], () =>
          drained(cluster, node, async () => {
            console.error(
              `${node} serves no clients, and its agent starts nothing and tells nobody. A reboot ends that, and so does ${command.length > 0 ? "the end of the command" : "Ctrl-C"}.`,
            );
            process.exitCode = await (command.length > 0 ? run(command) : interrupted());
          }),
        );
        console.log(`${node} serves again`);
      }),
    );
}

/** @returns what is seen of the node, if it may be taken out. */
function refuse(cluster: Cluster, node: string, observation: Observation): NodeObservation {
  const { topology } = cluster.inventory;
  const seen = observation[node];
  if (!seen)
    throw refused({
      rule: "maintenance.unknown-node",
      sentence: `There is no node ${node}.`,
      remedy: `the nodes are ${topology.nodes.map(({ name }) => name).join(" and ")}`,
    });
  if (!seen.host)
    throw refused({
      rule: "maintenance.unreachable",
      sentence: `${node} is ${seen.reach}.`,
      remedy: "without it nothing has to be held back: clients are at the other node",
      exitCode: 3,
    });
  if (roleOf(topology, seen).runs === "primary")
    throw refused({
      rule: "maintenance.primary",
      sentence: `${node} is the primary.`,
      remedy: "harbor-ha switchover first",
    });
  if (
    !Object.values(observation).some(({ name, host }) => name !== node && host?.harbor.answers && !host.harbor.drained)
  )
    throw refused({
      rule: "maintenance.last",
      sentence: `Without ${node} nobody would serve clients.`,
      remedy: "bring Harbor on the other node back first: harbor-ha status says what it lacks",
    });
  return seen;
}

async function run([program = "", ...words]: string[]): Promise<number> {
  const [code] = await once(spawn(program, words, { stdio: "inherit" }), "close");
  return code ?? 1;
}

async function interrupted(): Promise<number> {
  const alive = setInterval(() => {}, 60_000);
  await Promise.race(["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => once(process, signal)));
  clearInterval(alive);
  return 0;
}
