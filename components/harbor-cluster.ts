import { createHash } from "node:crypto";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../stacks/config.ts";
import { Host } from "./apply/host.ts";
import { commandLine } from "./command-line.ts";
import type { Infrastructure, MakeInfrastructure } from "./infrastructure/infrastructure.ts";
import type { Bundle } from "./model/bundle.ts";
import { type Inventory, presentNodes } from "./model/inventory.ts";
import type { SshAccess } from "./model/node.ts";
import { type Operation, operationOf } from "./model/operation.ts";
import { quote } from "./model/shell.ts";
import { OperationCommand } from "./operations.ts";
import { runbookText } from "./runbook.ts";
import { stackSecrets } from "./secrets.ts";
import { renderInventory, renderNode } from "./services/render.ts";

export interface HarborClusterArgs {
  config: Config;
  /** Who makes the machines: `targets` of infrastructure/targets.ts. */
  infrastructure: MakeInfrastructure;
}

/**
 * A highly available Harbor on two machines: machines of the target → `preflight` of both → host programs and secrets → every service's files
 * (`apply`, both hosts at once) → `roll`, which starts and restarts what is needed, in the order it observes.
 */
export class HarborCluster extends pulumi.ComponentResource {
  /** Where clients find Harbor. */
  readonly endpoint: string;
  /** Everything the command line needs; no secret. */
  readonly inventory: pulumi.Output<Inventory>;
  /** The commands for the day something happens. */
  readonly runbook: string;
  /** First password of `admin`. Secret. */
  readonly initialAdminPassword: pulumi.Output<string>;
  /** The CA clients must trust, unless the certificate is your own. */
  readonly caCertificate: string;
  /** Where the hostname's record has to lead: a CNAME's name, or an address. Undefined where the stack made no balancer. */
  readonly loadBalancer?: pulumi.Output<string>;
  /** What became of the operation that the stack file asks for, if it does. */
  readonly operation?: pulumi.Output<string>;
  /** What `roll` did last. */
  readonly rolled: pulumi.Output<string>;

  constructor(name: string, args: HarborClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:index:HarborCluster", name, {}, opts);
    const { config } = args;
    const { topology, access, fence, machines, privateKey, ...made } = args.infrastructure(
      pulumi.getStack(),
      config,
      this,
    );
    const own = stackSecrets(config);
    const secrets = [...own, ...(made.secrets ?? [])];
    const { version, installer } = config.harbor;
    const absent = topology.nodes.map(({ name }) => name).filter((name) => config.nodes[name as "node1"].absent);
    this.inventory = pulumi.output({ access, fence }).apply(
      (known): Inventory => ({
        format: 1,
        topology,
        ...known,
        ...(absent.length > 0 ? { absent } : {}),
        harbor: { version, installer },
      }),
    );
    const nodes = presentNodes({ topology, absent }).map((node) => ({
      name: node.name,
      bundles: renderNode(topology, node, config, secrets),
    }));
    // Any changed bundle runs preflight and roll again; nothing else does.
    const occasion = this.inventory.apply((inventory) =>
      JSON.stringify({ inventory, bundles: fingerprints(nodes) }, null, 2),
    );

    const preflight = new local.Command(
      "preflight",
      {
        create: commandLine("preflight", "--inventory", "-"),
        stdin: occasion,
        addPreviousOutputInEnv: false,
        logging: local.Logging.Stderr,
      },
      { parent: this, dependsOn: machines },
    );
    const applied = nodes.flatMap(({ name, bundles: [system, ...services] }) => {
      const host = new Host(
        name,
        { access: loginOf(access, name), privateKey, secrets },
        { parent: this, dependsOn: [...machines, preflight] },
      );
      const base = host.apply(system.service, system);
      return [
        base,
        host.apply("inventory", this.inventory.apply(renderInventory), [base]),
        ...services.map((bundle) => host.apply(bundle.service, bundle, [base])),
      ];
    });

    const wish = config.operations && operationOf(config.operations);
    const operate = (operation: Operation, dependsOn: pulumi.Resource[]) =>
      new OperationCommand("operation", { inventory: this.inventory, operation }, { parent: this, dependsOn });
    // What is lost, or was, cannot be rolled; a switchover begins with everything in place.
    const before = wish && wish.verb !== "switchover" ? [operate(wish, applied)] : [];
    const roll = new local.Command(
      "roll",
      {
        create: commandLine(
          ...["roll", "--yes", "--inventory", "-"],
          ...(wish?.verb === "switchover" ? ["--operation", quote(JSON.stringify(wish))] : []),
        ),
        stdin: occasion,
        addPreviousOutputInEnv: false,
        logging: local.Logging.Stderr,
      },
      {
        parent: this,
        dependsOn: [...applied, ...before],
        customTimeouts: { create: "40m", update: "40m" },
      },
    );

    const [operation] = wish?.verb === "switchover" ? [operate(wish, [roll])] : before;
    this.operation = operation?.result;

    if (made.loadBalancer !== undefined) this.loadBalancer = pulumi.output(made.loadBalancer);
    this.endpoint = `https://${topology.hostname}`;
    this.runbook = runbookText();
    this.initialAdminPassword = pulumi.secret(own.find(({ label }) => label === "harbor.adminPassword")?.value ?? "");
    this.caCertificate = config.identity.caCertificate;
    this.rolled = roll.stdout;
    this.registerOutputs({});
  }
}

/** Which bundles there are, in short: a changed one changes its line. */
function fingerprints(nodes: { name: string; bundles: Bundle[] }[]): Record<string, Record<string, string>> {
  const digest = (bundle: Bundle) => createHash("sha256").update(JSON.stringify(bundle)).digest("hex").slice(0, 16);
  return Object.fromEntries(
    nodes.map(({ name, bundles }) => [
      name,
      Object.fromEntries(bundles.map((bundle) => [bundle.service, digest(bundle)])),
    ]),
  );
}

function loginOf(access: Infrastructure["access"], node: string): pulumi.Input<SshAccess> {
  const login = access[node];
  if (!login) throw new Error(`no login for ${node}`);
  return login;
}
