import { existsSync, readFileSync } from "node:fs";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../../stacks/config.ts";
import { commandLine } from "../command-line.ts";
import { labKeys, labTopology } from "../model/lab.ts";
import type { Infrastructure } from "./infrastructure.ts";

/** Two systemd hosts on this machine, made by `harbor-ha lab up`. `pulumi destroy` takes them away with everything on them. */
export function labInfrastructure(stack: string, config: Config, parent: pulumi.Resource): Infrastructure {
  const topology = labTopology.of(stack, config);
  const keys = labKeys(stack);
  if (!existsSync(keys.identity))
    throw new pulumi.RunError(
      `The lab "${stack}" has no keys yet: run \`npm run lab\` (or \`npx harbor-ha lab up\`) as root on Debian or Ubuntu.`,
    );
  const spec = { name: stack, subnet: config.lab.subnet, nodes: topology.nodes };
  const hosts = new local.Command(
    "lab-hosts",
    {
      create: commandLine("lab", "up", "--spec", "-"),
      delete: commandLine("lab", "down", "--name", stack, "--keep-stack"),
      stdin: JSON.stringify(spec, null, 2),
      addPreviousOutputInEnv: false,
    },
    { parent },
  );
  return {
    topology,
    fence: { kind: "lab" },
    machines: [hosts],
    privateKey: readFileSync(keys.identity, "utf8"),
    access: Object.fromEntries(
      topology.nodes.map((node) => {
        const [type, key] = readFileSync(keys.hostKey(node.name), "utf8").split(" ");
        return [
          node.name,
          {
            host: node.address,
            port: 22,
            user: "root",
            hostKey: `${type} ${key?.trim()}`,
            identityFile: keys.identity,
          },
        ];
      }),
    ),
  };
}
