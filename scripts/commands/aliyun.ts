import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { stackNameProblem } from "../../components/model/aliyun.ts";
import {
  fenceStatements,
  initActions,
  operatorStatements,
  policyDocument,
  type Statement,
} from "../../components/model/aliyun-policies.ts";
import { CloudFault } from "../aliyun/cloud-api.ts";
import { readHostKey } from "../aliyun/host-key.ts";
import { type InventoryOptions, readInventory } from "../cluster/inventory.ts";
import { UserError } from "../user-error.ts";
import { pairCommand } from "./pair.ts";

/** What `pulumi up` needs from Alibaba Cloud beside resources. */
export function aliyunCommand(): Command {
  const aliyun = new Command("aliyun").description(
    "what `up` asks Alibaba Cloud, and what it has to be allowed to ask",
  );
  aliyun
    .command("host-key", { hidden: true })
    .description("an instance's public host key, by the cloud's own way into it")
    .requiredOption("--region <region>", "region of the instance")
    .requiredOption("--instance <id>", "the instance (- for stdin)")
    .option("--endpoint <url>", "another address of the ECS API")
    .action(async ({ region, instance, endpoint }) => {
      const id = (instance === "-" ? readFileSync(0, "utf8") : instance).trim();
      const key = await readHostKey({ region, instance: id, endpoint }, (line) => console.error(line)).catch(
        (error) => {
          if (error instanceof CloudFault) throw new UserError(`${error.message} → ${error.remedy} [${error.id}]`);
          throw error;
        },
      );
      console.log(key);
    });
  aliyun.addCommand(
    pairCommand("policy")
      .description("the RAM policy that whoever runs this toolkit needs, as JSON for the RAM console")
      .addOption(
        new Option(
          "--for <task>",
          "`init`, `up` (init included), `destroy` (up included), or `failover`: a pair's two instances",
        )
          .choices(Object.keys(tasks))
          .default("up"),
      )
      .option("--stack <name>", "up, destroy: the stack (default: PULUMI_STACK, else prod)")
      .action(async (options) => {
        const statements = await tasks[options.for as keyof typeof tasks](options);
        console.log(policyDocument(statements));
      }),
  );
  return aliyun;
}

function stackOf({ stack = process.env.PULUMI_STACK ?? "prod" }: { stack?: string }): string {
  const problem = stackNameProblem(stack);
  if (problem) throw new UserError(problem, 2);
  return stack;
}

/** What has to be allowed, by what is to be done. */
const tasks = {
  init: async () => [{ Effect: "Allow", Action: initActions, Resource: ["*"] }],
  up: async (options) => operatorStatements(stackOf(options), { destroy: false }),
  destroy: async (options) => operatorStatements(stackOf(options), { destroy: true }),
  failover: async (options) => {
    const { fence } = await readInventory(options);
    if (fence?.kind !== "aliyun")
      throw new UserError("this pair's fence is none of Alibaba Cloud: nothing has to be allowed there", 2);
    return fenceStatements(Object.values(fence.instances));
  },
} satisfies Record<string, (options: InventoryOptions & { stack?: string }) => Promise<Statement[]>>;
