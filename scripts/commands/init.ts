import { isIPv4 } from "node:net";
import { isCancel, text } from "@clack/prompts";
import { Command, Option } from "commander";
import { labTopology } from "../../components/model/lab.ts";
import { inCloudProblem } from "../../stacks/aliyun-checks.ts";
import { cidrProblem } from "../../stacks/aliyun-config.ts";
import { hostnameProblem } from "../../stacks/checks.ts";
import { configSchema } from "../../stacks/config.ts";
import { items, total } from "../explain/items.ts";
import { type AliyunSettings, aliyunSettings, isAnswered, optionsIn } from "../init/aliyun.ts";
import { initStack } from "../init/stack.ts";
import { UserError } from "../user-error.ts";

export function initCommand(): Command {
  return new Command("init")
    .description("make the stack, its secrets, keys and certificates, and its stack file; what exists stays")
    .addOption(
      new Option("--target <target>", "where the pair is to be: `aliyun` asks your account once what a region sells")
        .choices(["lab", "aliyun"])
        .default("lab"),
    )
    .option("--stack <name>", "the stack (default: PULUMI_STACK, else lab, or prod in Alibaba Cloud)")
    .option("--hostname <name>", "name or address of the endpoint (default: asked; on the lab its virtual address)")
    .option("--region <id>", "aliyun: the region (default: asked)")
    .option(
      "--administrator <CIDR...>",
      "aliyun: networks from which SSH is allowed (default: asked, your own address)",
    )
    .option("--client <CIDR...>", "aliyun: networks from which Harbor is reached (default: the administrators')")
    .option("--public-key <file>", "aliyun: SSH key that may log in (default: yours in ~/.ssh)")
    .option("--installer-file <path>", "Harbor's offline installer on this machine")
    .option("--installer-url <url>", "Harbor's offline installer, fetched by the nodes")
    .option("--installer-sha256 <digits>", "its SHA-256")
    .action(async (options) => {
      const inCloud = options.target === "aliyun";
      const stack = options.stack ?? process.env.PULUMI_STACK ?? (inCloud ? "prod" : "lab");
      const subnet = configSchema.shape.lab.parse(undefined).subnet;
      const hostname =
        options.hostname ??
        (await ask(
          "Name or address under which clients reach Harbor",
          hostnameProblem,
          inCloud ? undefined : labTopology.virtualAddress(subnet),
        ));
      const problem = hostnameProblem(hostname) ?? (inCloud ? inCloudProblem(hostname) : undefined);
      if (problem) throw new UserError(`hostname ${hostname}: ${problem}`);
      const given = { file: options.installerFile, url: options.installerUrl, sha256: options.installerSha256 };
      const installer = given.file || given.url ? given : undefined;
      const answered = inCloud && isAnswered(stack);
      if (inCloud && !answered && !installer)
        throw new UserError(
          "Harbor's offline installer has to be named: --installer-url and --installer-sha256, or --installer-file",
          2,
        );
      const log = (line: string) => console.error(line);
      if (answered) log(`Pulumi.${stack}.yaml holds the account's answers already: it is not asked again.`);
      const asked = inCloud && !answered ? await aliyunSettings(stack, await wishes(options), log) : undefined;
      const aliyun = answered ? [] : asked;
      await initStack(process.env, stack, { hostname, installer, aliyun }, log);
      log(`Stack ${stack} is ready: settings in Pulumi.${stack}.yaml.`);
      if (asked) for (const line of nextSteps(hostname, stack, asked)) log(line);
      log("Next: pulumi up");
    });
}

/** What only a person knows: asked for where somebody is there to answer. */
async function wishes(options: { region?: string; administrator?: string[]; client?: string[]; publicKey?: string }) {
  const region = options.region ?? (await ask("Region of Alibaba Cloud, e.g. cn-hangzhou", filled));
  const administrators = options.administrator ?? [
    await ask("Network from which SSH is allowed", (value) => cidrProblem(value, 8), await ownAddress()),
  ];
  return { region, administrators, clients: options.client, publicKeyFile: options.publicKey };
}

function nextSteps(hostname: string, stack: string, settings: AliyunSettings): string[] {
  const found = Object.fromEntries(settings);
  const { monthly } = total(items(optionsIn(settings), { images: 200, traffic: 100 }));
  return [
    `Found: zones ${found["aliyun.zones[0]"]} and ${found["aliyun.zones[1]"]}, ${found["aliyun.instanceType"]}, ${found["aliyun.image"]}.`,
    `It would cost about ${Math.round(monthly)} yuan a month with 200 GB of images and 100 GB of traffic: harbor-ha explain --config Pulumi.${stack}.yaml`,
    `Harbor is open to ${optionsIn(settings).clients.join(", ")}, and to nobody else (aliyun.clients).`,
    "Log in on the nodes is by the public key that was found: its private key has to be in your SSH agent, or aliyun.privateKeyFile names it.",
    `After \`pulumi up\`, point ${hostname} at the output \`loadBalancer\` (pulumi stack output loadBalancer) with a CNAME record.`,
  ];
}

const filled = (value: string) => (value ? undefined : "must not be empty");

/** The address that the internet sees this machine at, as a network; undefined where that cannot be told. */
async function ownAddress(): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const answer = await fetch("https://api.ipify.org", { signal: AbortSignal.timeout(3_000) })
    .then((response) => response.text())
    .catch(() => "");
  return isIPv4(answer) ? `${answer}/32` : undefined;
}

async function ask(
  message: string,
  problem: (value: string) => string | undefined,
  fallback?: string,
): Promise<string> {
  if (!process.stdin.isTTY) {
    if (fallback !== undefined) return fallback;
    throw new UserError(`${message}: nobody is there to answer; give it as an option (harbor-ha init --help)`, 2);
  }
  const answer = await text({ message, initialValue: fallback, validate: (value) => problem(value ?? "") });
  if (isCancel(answer)) throw new UserError("nothing was made");
  return answer;
}
