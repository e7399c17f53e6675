import { spawnSync } from "node:child_process";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { commandLine } from "./command-line.ts";
import type { Inventory } from "./model/inventory.ts";
import type { Operation } from "./model/operation.ts";
import { quote } from "./model/shell.ts";

export interface OperationArgs {
  inventory: Inventory;
  operation: Operation;
}

/** An operation that the stack file asks for: what it would do is said in every preview, what it did is the output. */
export class OperationCommand extends pulumi.ComponentResource {
  /** What was done, or why nothing was. */
  readonly result: pulumi.Output<string>;

  constructor(name: string, { inventory, operation }: OperationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:index:Operation", name, {}, opts);
    const words = ["operation", "--inventory", "-", "--operation", quote(JSON.stringify(operation))];
    const plan = spawnSync("sh", ["-c", commandLine(...words, "--plan")], {
      input: JSON.stringify({ inventory }),
      encoding: "utf8",
      timeout: 120_000,
    });
    if (plan.status !== 0) throw new pulumi.RunError(`operations.${operation.verb}: ${plan.stderr.trim()}`);
    const { newStack, sentence } = JSON.parse(plan.stdout) as { newStack: boolean; sentence: string };
    void pulumi.log.info(sentence, this);
    const command = new local.Command(
      `operation-${operation.verb}`,
      {
        create: commandLine(...words, ...(newStack ? ["--new-stack"] : [])),
        stdin: JSON.stringify({ inventory }),
        addPreviousOutputInEnv: false,
        logging: local.Logging.Stderr,
      },
      { parent: this, customTimeouts: { create: "40m", update: "40m" } },
    );
    this.result = command.stdout;
    this.registerOutputs({});
  }
}
