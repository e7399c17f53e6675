import { isCancel, text } from "@clack/prompts";
import { Command } from "commander";
import { labTopology } from "../../components/model/lab.ts";
import { hostnameProblem } from "../../stacks/checks.ts";
import { configSchema } from "../../stacks/config.ts";
import { initStack } from "../init/stack.ts";
import { UserError } from "../user-error.ts";

export function initCommand(): Command {
  return new Command("init")
    .description("make the stack, its secrets, keys and certificates, and its stack file; what exists stays")
    .option("--stack <name>", "the stack", process.env.PULUMI_STACK ?? "lab")
    .option("--hostname <name>", "name or address of the endpoint (default: asked; on the lab its virtual address)")
    .option("--installer-file <path>", "Harbor's offline installer on this machine")
    .option("--installer-url <url>", "Harbor's offline installer, fetched by the nodes")
    .option("--installer-sha256 <digits>", "its SHA-256")
    .action(async (options) => {
      const subnet = configSchema.shape.lab.parse(undefined).subnet;
      const hostname = options.hostname ?? (await askHostname(labTopology.virtualAddress(subnet)));
      const problem = hostnameProblem(hostname);
      if (problem) throw new UserError(`hostname ${hostname}: ${problem}`);
      const given = { file: options.installerFile, url: options.installerUrl, sha256: options.installerSha256 };
      const installer = given.file || given.url ? given : undefined;
      await initStack(process.env, options.stack, { hostname, installer }, (line) => console.error(line));
      console.error(`Stack ${options.stack} is ready: settings in Pulumi.${options.stack}.yaml. Next: pulumi up`);
    });
}

async function askHostname(fallback: string): Promise<string> {
  if (!process.stdin.isTTY) return fallback;
  const answer = await text({
    message: "Name or address under which clients reach Harbor",
    initialValue: fallback,
    validate: (value) => hostnameProblem(value ?? ""),
  });
  if (isCancel(answer)) throw new UserError("nothing was made");
  return answer;
}
