import { readFileSync } from "node:fs";
import { Command } from "commander";
import { CloudFault } from "../aliyun/cloud-api.ts";
import { readHostKey } from "../aliyun/host-key.ts";
import { UserError } from "../user-error.ts";

/** What `pulumi up` needs from Alibaba Cloud beside resources. */
export function aliyunCommand(): Command {
  const aliyun = new Command("aliyun").description("what `up` asks Alibaba Cloud");
  aliyun
    .command("host-key")
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
  return aliyun;
}
