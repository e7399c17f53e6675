import { spawnSync } from "node:child_process";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { commandLine } from "./command-line.ts";
import type { Inventory } from "./model/inventory.ts";
import type { Operation } from "./model/operation.ts";
import { quote } from "./model/shell.ts";

export interface OperationArgs {
  inventory: pulumi.Input<Inventory>;
  operation: Operation;
}

/** An operation that the stack file asks for: what it would do is said in every preview, what it did is the output. */
export class OperationCommand extends pulumi.ComponentResource {
  /** What was done, or why nothing was. */
  readonly result: pulumi.Output<string>;

  constructor(name: string, { inventory, operation }: OperationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:index:Operation", name, {}, opts);
    const words = ["operation", "--inventory", "-", "--operation", quote(JSON.stringify(operation))];
    const stdin = pulumi.output(inventory).apply((inventory) => JSON.stringify({ inventory }));
    // Nothing can be asked of machines that are not there yet.
    const newStack = stdin.apply((input) => {
      const plan = spawnSync("sh", ["-c", commandLine(...words, "--plan")], {
        input,
        encoding: "utf8",
        timeout: 120_000,
      });
      if (plan.status !== 0) throw new pulumi.RunError(`operations.${operation.verb}: ${plan.stderr.trim()}`);
      const { newStack, sentence } = JSON.parse(plan.stdout) as { newStack: boolean; sentence: string };
      void pulumi.log.info(sentence, this);
      return newStack;
    });
    const command = new local.Command(
      `operation-${operation.verb}`,
      {
        create: newStack.apply((newStack) => commandLine(...words, ...(newStack ? ["--new-stack"] : []))),
        stdin,
        addPreviousOutputInEnv: false,
        logging: local.Logging.Stderr,
      },
      { parent: this, customTimeouts: { create: "40m", update: "40m" } },
    );
    this.result = command.stdout;
    this.registerOutputs({});
  }
}
