import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Argument, Command } from "commander";
import { labTopology } from "../../components/model/lab.ts";
import { servicePackages } from "../../components/services/render.ts";
import { configSchema } from "../../stacks/config.ts";
import {
  down,
  ensureKeys,
  type LabSpec,
  powerOff,
  powerOn,
  sshArguments,
  switchDisk,
  switchNetwork,
  switchShare,
  up,
} from "../lab/lab.ts";
import { projectDirectory, stackDirectory } from "../paths.ts";

const log = (line: string) => console.error(line);
const stackName = () => process.env.PULUMI_STACK ?? "lab";

export function labCommand(): Command {
  const lab = new Command("lab").description("the two hosts on this machine (root on Debian or Ubuntu)");
  lab
    .command("up")
    .description("make and start the hosts")
    .option("--spec <file>", "name, subnet and nodes as JSON (- for stdin; default: the stack's own)")
    .action(async (options) => {
      const given = options.spec
        ? JSON.parse(readFileSync(options.spec === "-" ? 0 : options.spec, "utf8"))
        : defaultSpec(stackName());
      const spec: LabSpec = { ...given, prefetch: ["nodejs", ...servicePackages] };
      await ensureKeys(
        spec.name,
        spec.nodes.map((node) => node.name),
      );
      await up(spec, log);
    });
  lab
    .command("down")
    .description("remove the hosts and everything on them, and the lab's Pulumi state")
    .option("--name <name>", "the lab (default: the stack's)")
    .option("--keep-stack", "leave the Pulumi state alone")
    .action(async (options) => {
      const name = options.name ?? stackName();
      await down(name, log);
      if (options.keepStack) return;
      // The hosts are gone: a state that names them would only mislead the next `up`. The passphrase stays for the stack file.
      rmSync(join(stackDirectory(name), "pulumi"), { recursive: true, force: true });
      log(`Its settings in Pulumi.${name}.yaml stay, and so does the passphrase that opens them.`);
    });
  lab
    .command("poweroff <node>")
    .description("cut a host's power, rudely")
    .action((node) => powerOff(stackName(), node, log));
  lab
    .command("poweron <node>")
    .description("switch a host on; its services come back by themselves")
    .action((node) => powerOn(stackName(), node, log));
  lab
    .command("storage <node>")
    .description("what the shared storage does on a host")
    .addArgument(
      new Argument("<state>", "dead lasts until the host's power is cycled").choices(["hangs", "answers", "dead"]),
    )
    .action((node, state) => switchShare(stackName(), node, state, log));
  lab
    .command("network <node>")
    .description("cut a host's network, or mend it")
    .addArgument(new Argument("<state>").choices(["cut", "mended"]))
    .action((node, state) => switchNetwork(stackName(), node, state, log));
  lab
    .command("disk <node>")
    .description("slow PostgreSQL's disk on a host down, or stop that")
    .addArgument(new Argument("<state>").choices(["slow", "normal"]))
    .action((node, state) => switchDisk(stackName(), node, state, log));
  lab
    .command("ssh <node> [command...]")
    .description("log in on a host")
    .action((node, command: string[]) => {
      const { status } = spawnSync("ssh", [...sshArguments(stackName(), node), ...command], {
        stdio: "inherit",
        cwd: projectDirectory,
      });
      process.exitCode = status ?? 1;
    });
  return lab;
}

/** The lab as the defaults of the configuration describe it. */
function defaultSpec(name: string): Omit<LabSpec, "prefetch"> {
  const subnet = process.env.HARBOR_HA_LAB_SUBNET ?? configSchema.shape.lab.parse(undefined).subnet;
  return { name, subnet, nodes: labTopology.nodes(subnet) };
}
