import { confirm, isCancel } from "@clack/prompts";
import { Command, Option } from "commander";
import { type InventoryOptions, readInventory } from "../cluster/inventory.ts";
import { Cluster } from "../cluster/observe.ts";
import { UserError } from "../user-error.ts";

/** A verb that works on a pair, with the options that say which. */
export function pairCommand(name: string): Command {
  return new Command(name)
    .option("--inventory <file>", "the pair's inventory (- for stdin; default: the stack's output)")
    .option("--host <user@node>", "read the inventory from this node, when the stack's state is out of reach")
    .option("--ssh-config <file>", "an ssh_config for every connection: keys, jump hosts");
}

/** Of the verbs that also look at a pair which this toolkit did not build. */
export const foreignPair = () =>
  new Option("--pair <file>", "a Harbor pair that harbor-ha did not build: a small file that says where its nodes are");

/** Opens connections to the pair for the length of one piece of work. */
export async function withPair<T>(options: InventoryOptions, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const cluster = new Cluster(await readInventory(options), options.sshConfig);
  try {
    return await work(cluster);
  } finally {
    cluster.close();
  }
}

/** Whether a person agrees, or has said `--yes`. @throws UserError where nobody can be asked. */
export async function agreed(options: { yes?: boolean }, question: string): Promise<boolean> {
  if (options.yes) return true;
  if (!process.stdin.isTTY) throw new UserError("this changes the pair: give --yes where nobody can be asked");
  const answer = await confirm({ message: question });
  return !isCancel(answer) && answer;
}
