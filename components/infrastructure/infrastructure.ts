import type * as pulumi from "@pulumi/pulumi";
import type { Config } from "../../stacks/config.ts";
import type { Fence } from "../model/inventory.ts";
import type { SshAccess } from "../model/node.ts";
import type { Secret } from "../model/secrets.ts";
import type { Topology } from "../model/topology.ts";

/** Makes the machines of a target, below a parent. */
export type MakeInfrastructure = (stack: string, config: Config, parent: pulumi.Resource) => Infrastructure;

/** What a target yields: plain data for renders, and what only it can know. */
export interface Infrastructure {
  topology: Topology;
  /** How to log in, per node name: in a cloud known only once the machine is there. */
  access: Record<string, pulumi.Input<SshAccess>>;
  /** Text of the private key that the stack owns, if it does. */
  privateKey?: string;
  /** How a node is proven to be off. */
  fence: pulumi.Input<Fence>;
  /** Where the hostname's record has to lead, if the target made a balancer. */
  loadBalancer?: pulumi.Input<string>;
  /** Secrets that only the cloud knows. */
  secrets?: Secret<pulumi.Input<string>>[];
  /** Resources that must exist before the hosts are reached. */
  machines: pulumi.Resource[];
}
