import * as alicloud from "@pulumi/alicloud";
import type * as pulumi from "@pulumi/pulumi";

/** A group that lets nobody in: not even its own members reach each other without a rule. */
export const closedGroup = (
  parent: pulumi.Resource,
  name: string,
  args: Pick<alicloud.ecs.SecurityGroupArgs, "vpcId" | "securityGroupName" | "tags">,
): alicloud.ecs.SecurityGroup =>
  new alicloud.ecs.SecurityGroup(name, { ...args, securityGroupType: "normal", innerAccessPolicy: "Drop" }, { parent });

/** Lets a network in, on one TCP port or on a range `from/to`. */
export function ingress(
  parent: pulumi.Resource,
  what: string,
  securityGroupId: pulumi.Input<string>,
  ports: number | string,
  cidrIp: string,
): alicloud.ecs.SecurityGroupRule {
  return new alicloud.ecs.SecurityGroupRule(
    `${what}-from-${cidrIp.replaceAll(/[./]/g, "-")}`,
    {
      type: "ingress",
      ipProtocol: "tcp",
      portRange: typeof ports === "number" ? `${ports}/${ports}` : ports,
      cidrIp,
      description: `${what} from ${cidrIp}`,
      // What a network of one's own asks for; anything else replaces the rule for ever.
      nicType: "intranet",
      policy: "accept",
      priority: 1,
      securityGroupId,
    },
    { parent },
  );
}
