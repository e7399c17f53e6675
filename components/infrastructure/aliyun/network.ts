import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { type AliyunOptions, nodeAddresses, privateZone, switchCidrs } from "../../model/aliyun.ts";
import { ports } from "../../model/ports.ts";
import { closedGroup, ingress } from "./security-group.ts";

export interface NetworkArgs {
  /** Name of the stack: it begins every name in the account. */
  stack: string;
  options: AliyunOptions;
}

/** CLB asks backends how they are from here. */
const clbNetwork = "100.64.0.0/10";

/**
 * A private network with a switch in each of two zones, and what may reach the nodes: SSH from the administrators, Harbor from the
 * clients and the balancer, and each node its peer. Network and switches cannot be replaced under nodes that stand in them.
 */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  /** The switch of node1 and that of node2. */
  readonly switchIds: [pulumi.Output<string>, pulumi.Output<string>];
  readonly securityGroupId: pulumi.Output<string>;
  /** Zone of private names. */
  readonly zoneId: pulumi.Output<string>;
  /** What has to be there before a machine is reached. */
  readonly rules: pulumi.Resource[];

  constructor(name: string, { stack, options }: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:aliyun:Network", name, {}, opts);
    const { network, zones, tags, administrators, clients, loadBalancer, protect } = options;
    const cidrs = switchCidrs(options);
    if (network.existing) {
      const { vpc, switches } = network.existing;
      this.vpcId = pulumi.output(vpc);
      this.switchIds = [pulumi.output(switches[0]), pulumi.output(switches[1])];
    } else {
      const vpc = new alicloud.vpc.Network(
        "vpc",
        { vpcName: `harbor-ha-${stack}`, cidrBlock: network.cidr, tags },
        { parent: this, protect },
      );
      this.vpcId = vpc.id;
      const made = (index: 0 | 1) =>
        new alicloud.vpc.Switch(
          `switch${index + 1}`,
          {
            vpcId: vpc.id,
            vswitchName: `harbor-ha-${stack}-${index + 1}`,
            cidrBlock: cidrs[index],
            zoneId: zones[index],
            tags,
          },
          { parent: this, protect },
        ).id;
      this.switchIds = [made(0), made(1)];
    }

    const group = closedGroup(this, "nodes", { vpcId: this.vpcId, securityGroupName: `harbor-ha-${stack}`, tags });
    this.securityGroupId = group.id;
    const allow = (what: string, ports: number | string, cidrIp: string) =>
      ingress(this, what, group.id, ports, cidrIp);
    // NLB checks from its own addresses in the switches, CLB from a network of its own.
    const balancers = loadBalancer.kind === "nlb" ? cidrs : [clbNetwork];
    this.rules = [
      ...administrators.map((cidr) => allow("ssh", 22, cidr)),
      ...nodeAddresses(options).map((address) => allow("peer", "1/65535", `${address}/32`)),
      ...balancers.map((cidr) => allow("checks", ports.roles, cidr)),
      // NLB comes with its own addresses, and has rules of its own; CLB keeps the clients'.
      ...(loadBalancer.kind === "nlb" ? cidrs : clients).map((cidr) => allow("clients", ports.harborHttps, cidr)),
    ];

    const zone = new alicloud.pvtz.Zone(
      "names",
      { zoneName: privateZone(stack), remark: `harbor-ha ${stack}`, tags },
      { parent: this, deleteBeforeReplace: true },
    );
    // Before anybody asks for a name: that there is none is remembered.
    this.rules.push(
      new alicloud.pvtz.ZoneAttachment("names", { zoneId: zone.id, vpcIds: [this.vpcId] }, { parent: this }),
    );
    this.zoneId = zone.id;
    this.registerOutputs({});
  }
}
