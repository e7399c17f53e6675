import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { type AliyunOptions, nodeRole } from "../../model/aliyun.ts";
import { instanceTrust, nodeStatements, policyDocument, registryStatements } from "../../model/aliyun-policies.ts";

export interface IdentityArgs {
  stack: string;
  options: AliyunOptions;
  instanceIds: pulumi.Input<string>[];
}

/** A policy that keeps its five versions in order by itself. */
const custom = { rotateStrategy: "DeleteOldestNonDefaultVersionWhenLimitExceeded", force: true };

/** The role of the nodes: keys that last an hour come from the instance's own metadata, and none lies on a disk. */
export class NodeRole extends pulumi.ComponentResource {
  /** What has to be there before a node uses it. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: IdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:aliyun:NodeRole", name, {}, opts);
    const { stack, options, instanceIds } = args;
    const role = new alicloud.ram.Role(
      "node",
      {
        roleName: nodeRole(stack),
        assumeRolePolicyDocument: instanceTrust,
        description: `harbor-ha ${stack}: its nodes`,
        force: true,
        tags: options.tags,
      },
      { parent: this, deleteBeforeReplace: true },
    );
    const policy = new alicloud.ram.Policy(
      "node",
      {
        policyName: nodeRole(stack),
        policyDocument: policyDocument(nodeStatements(stack, options)),
        description: `harbor-ha ${stack}: record and backups`,
        ...custom,
        tags: options.tags,
      },
      { parent: this, deleteBeforeReplace: true },
    );
    const granted = new alicloud.ram.RolePolicyAttachment(
      "node",
      { roleName: role.id, policyName: policy.policyName.apply((given) => given ?? ""), policyType: "Custom" },
      { parent: this },
    );
    this.ready = instanceIds.map(
      (instanceId, index) =>
        new alicloud.ecs.RamRoleAttachment(
          `node${index + 1}`,
          { instanceId, ramRoleName: role.id },
          { parent: this, dependsOn: granted },
        ),
    );
    this.registerOutputs({});
  }
}

/** A user with a key for the images' bucket alone: the one key that lives long, since Harbor's registry knows no roles. */
export class RegistryUser extends pulumi.ComponentResource {
  readonly accessKeyId: pulumi.Output<string>;
  /** Secret. */
  readonly accessKeySecret: pulumi.Output<string>;

  constructor(name: string, args: Omit<IdentityArgs, "instanceIds">, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:aliyun:RegistryUser", name, {}, opts);
    const { stack, options } = args;
    const title = `harbor-ha-${stack}-registry`;
    const user = new alicloud.ram.User(
      "registry",
      { name: title, displayName: title, comments: `harbor-ha ${stack}: images`, force: true, tags: options.tags },
      { parent: this, deleteBeforeReplace: true },
    );
    const policy = new alicloud.ram.Policy(
      "registry",
      {
        policyName: title,
        policyDocument: policyDocument(registryStatements(stack, options)),
        description: `harbor-ha ${stack}: images`,
        ...custom,
        tags: options.tags,
      },
      { parent: this, deleteBeforeReplace: true },
    );
    const granted = new alicloud.ram.UserPolicyAttachment(
      "registry",
      { userName: user.name, policyName: policy.policyName.apply((given) => given ?? ""), policyType: "Custom" },
      { parent: this },
    );
    const key = new alicloud.ram.AccessKey("registry", { userName: user.name }, { parent: this, dependsOn: granted });
    this.accessKeyId = key.id;
    this.accessKeySecret = pulumi.secret(key.secret);
    this.registerOutputs({});
  }
}
