import { readFileSync } from "node:fs";
import spawn from "nano-spawn";
import { labKeys, labTopology } from "../../components/model/lab.ts";
import { servicePackages } from "../../components/services/render.ts";
import { initStack } from "../../scripts/init/stack.ts";
import { findInstaller } from "../../scripts/lab/installer.ts";
import { ensureKeys, sshArguments, up } from "../../scripts/lab/lab.ts";
import { type LabStack, testStack, testSubnet } from "./stack.ts";

// Machines that the toolkit did not make, for it: the target `hosts` on hosts of a lab.

export const nodes = labTopology.nodes(testSubnet);
const virtualAddress = labTopology.virtualAddress(testSubnet);

/** The two nodes, and others beside them. */
export async function makeMachines(others: { name: string; address: string }[]): Promise<void> {
  const machines = [...nodes, ...others];
  await ensureKeys(
    testStack,
    machines.map(({ name }) => name),
  );
  const prefetch = ["nodejs", ...servicePackages];
  await up({ name: testStack, subnet: testSubnet, nodes: machines, prefetch }, console.error);
}

export const hostKey = (name: string) =>
  readFileSync(labKeys(testStack).hostKey(name), "utf8").split(" ").slice(0, 2).join(" ").trim();

/** Makes the stack for these machines; further settings by path. `balancer`: address of one in place of the virtual address. */
export async function initStackOn(
  stack: LabStack,
  further: Record<string, string> = {},
  balancer?: string,
): Promise<void> {
  const installer = await findInstaller(console.error);
  await initStack(stack.env, testStack, { hostname: balancer ?? virtualAddress, installer }, console.error);
  const settings: Record<string, string> = {
    target: "hosts",
    "hosts.privateKeyFile": labKeys(testStack).identity,
    ...(balancer
      ? { "hosts.loadBalancer.drainSeconds": "4" }
      : { "hosts.networkInterface": "host0", "hosts.virtualAddress": `${virtualAddress}/24` }),
    "hosts.fence": "none",
    ...further,
  };
  for (const { name, address } of nodes) {
    settings[`hosts.${name}.address`] = address;
    settings[`hosts.${name}.hostKey`] = hostKey(name);
  }
  for (const [path, value] of Object.entries(settings))
    await stack.ok("pulumi", "config", "set", "--path", `harbor-ha:${path}`, value);
}

export const asRoot = (machine: string, script: string) => spawn("ssh", [...sshArguments(testStack, machine), script]);
