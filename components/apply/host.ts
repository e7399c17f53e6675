import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Bundle } from "../model/bundle.ts";
import type { SshAccess } from "../model/node.ts";
import { hostPaths } from "../model/paths.ts";
import type { Secret } from "../model/secrets.ts";
import { asRoot } from "../model/shell.ts";
import { type Connection, connectionTo } from "./connection.ts";
import { hostScript } from "./host-script.ts";
import { hostPrograms } from "./programs.ts";

export interface HostArgs {
  access: pulumi.Input<SshAccess>;
  /** Text of the private key, if the stack owns one; else the SSH agent is used. */
  privateKey?: string;
  /** Values behind the placeholders of this host's bundles. */
  secrets: Secret<pulumi.Input<string>>[];
}

/** Waiting for a host's lock ends with an error after this time; a package installation is the longest holder. */
const lockSeconds = 900;

/**
 * One machine, ready for `apply`: programs and secrets delivered. Every command is idempotent, has no delete and no
 * triggers, so that nothing old ever runs last.
 */
export class Host extends pulumi.ComponentResource {
  private readonly name: string;
  private readonly user: pulumi.Output<string>;
  private readonly connection: Connection;
  private readonly ready: pulumi.Resource[];

  constructor(name: string, args: HostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:index:Host", name, {}, opts);
    this.name = name;
    this.user = pulumi.output(args.access).apply(({ user }) => user);
    this.connection = connectionTo(args.access, args.privateKey);

    const bootstrap = this.command("bootstrap", hostScript("apply/host/bootstrap.sh"), hostPrograms(), []);
    const values = Object.fromEntries(args.secrets.map(({ label, tag, value }) => [`${label}:${tag}`, value]));
    const install = `umask 077 && mkdir -p ${hostPaths.etc} && cat > ${hostPaths.secrets}.new && sync ${hostPaths.secrets}.new && mv ${hostPaths.secrets}.new ${hostPaths.secrets}`;
    const text = pulumi.secret(pulumi.output(values).apply((known) => JSON.stringify(known)));
    const secrets = this.command("secrets", install, text, [bootstrap]);
    this.ready = [bootstrap, secrets];
    this.registerOutputs({});
  }

  /** Makes one service's files and units on this host what the bundle says. */
  apply(service: string, bundle: pulumi.Input<Bundle>, dependsOn: pulumi.Resource[] = []): remote.Command {
    const run = `exec flock -w ${lockSeconds} -E 75 ${hostPaths.lock} node ${hostPaths.programs}/apply.cjs`;
    const text = pulumi.output(bundle).apply((bundle) => `${JSON.stringify(bundle, null, 2)}\n`);
    return this.command(service, run, text, [...this.ready, ...dependsOn]);
  }

  private command(name: string, create: string, stdin: pulumi.Input<string>, dependsOn: pulumi.Resource[]) {
    return new remote.Command(
      `${this.name}-${name}`,
      {
        connection: this.connection,
        create: this.user.apply((user) => asRoot(user, create)),
        stdin,
        addPreviousOutputInEnv: false,
        logging: remote.Logging.None,
      },
      { parent: this, dependsOn, customTimeouts: { create: "20m", update: "20m" } },
    );
  }
}
