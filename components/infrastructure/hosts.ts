import { readFileSync } from "node:fs";
import { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { type HostsConfig, hostsAccess, hostsFence, hostsTopology } from "../model/hosts.ts";
import { quote } from "../model/shell.ts";
import type { Infrastructure } from "./infrastructure.ts";

/**
 * Two machines that exist already. Nothing is made; `pulumi destroy` forgets them, and says how the services are removed
 * that go on running there.
 */
export function hostsInfrastructure(stack: string, config: HostsConfig, parent: pulumi.Resource): Infrastructure {
  const access = hostsAccess(config);
  const fence = hostsFence(config);
  const file = config.hosts.privateKeyFile;
  const logins = Object.values(access).map(({ user, host }) => `${user}@${host}`);
  const machines = new local.Command(
    "hosts",
    {
      create: say(
        `Hosts: ${logins.join(" and ")}. ${
          fence.kind === "none"
            ? "hosts.fence is none: after the loss of the primary nothing can prove that it is off, so a failover will need your word for it."
            : "A lost primary is fenced by hosts.fence before the other node takes over."
        }`,
      ),
      delete: say(
        `${logins.join(" and ")} are forgotten; their services go on running. To remove them: npx harbor-ha uninstall --host ${logins[0]}`,
      ),
      addPreviousOutputInEnv: false,
    },
    { parent },
  );
  return {
    topology: hostsTopology(stack, config),
    access,
    fence,
    machines: [machines],
    privateKey: file === undefined ? undefined : readFileSync(file, "utf8"),
  };
}

const say = (sentence: string) => `echo ${quote(sentence)}`;
