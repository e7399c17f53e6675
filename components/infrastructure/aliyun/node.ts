import * as alicloud from "@pulumi/alicloud";
import { local, remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { connectionTo } from "../../apply/connection.ts";
import { hostScript } from "../../apply/host-script.ts";
import { commandLine } from "../../command-line.ts";
import type { AliyunOptions } from "../../model/aliyun.ts";
import type { SshAccess } from "../../model/node.ts";
import { asRoot, quote } from "../../model/shell.ts";

export interface NodeArgs {
  stack: string;
  options: AliyunOptions;
  zone: string;
  /** Its private address in that switch. */
  address: string;
  switchId: pulumi.Input<string>;
  securityGroupId: pulumi.Input<string>;
  /** Login key of the account. */
  keyName: pulumi.Input<string>;
  /** Text of its private key; absent: the SSH agent's keys. */
  privateKey?: string;
  /** What has to be there before it is reached. */
  reachable: pulumi.Resource[];
}

/**
 * One ECS instance with a disk of its own for the database, which outlives it and grows without a stop. Another image, type, login
 * key or disk category leaves an instance that exists as it is.
 */
export class Node extends pulumi.ComponentResource {
  readonly instanceId: pulumi.Output<string>;
  /** What has to be there before anything is installed. */
  readonly ready: pulumi.Resource;
  /** How to log in; the host key was read through the cloud's own API, not off the network. */
  readonly access: pulumi.Output<SshAccess>;

  constructor(name: string, args: NodeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:aliyun:Node", name, {}, opts);
    const { stack, options, zone, address, switchId, securityGroupId, keyName } = args;
    const { tags, protect, region } = options;
    const title = `harbor-ha-${stack}-${name}`;
    const instance = new alicloud.ecs.Instance(
      name,
      {
        instanceName: title,
        hostName: title,
        imageId: options.image,
        instanceType: options.instanceType,
        instanceChargeType: "PostPaid",
        vswitchId: switchId,
        securityGroups: [securityGroupId],
        privateIp: address,
        keyName,
        systemDiskCategory: options.diskCategory,
        systemDiskSize: options.systemDiskGb,
        systemDiskEncrypted: true,
        // 0: no address of its own from the instance; the EIP can be kept and moved.
        internetMaxBandwidthOut: 0,
        httpEndpoint: "enabled",
        httpTokens: "required",
        maintenanceAction: "AutoRecover",
        deletionProtection: protect,
        tags,
        volumeTags: tags,
      },
      {
        parent: this,
        protect,
        // For new nodes only: another image or disk category would wipe the system disk, another type stops both nodes at once.
        ignoreChanges: ["imageId", "keyName", "instanceType", "systemDiskCategory"],
      },
    );
    this.instanceId = instance.id;

    const disk = new alicloud.ecs.EcsDisk(
      `${name}-data`,
      {
        diskName: `${title}-data`,
        zoneId: zone,
        category: options.diskCategory,
        size: options.dataDiskGb,
        encrypted: true,
        deleteWithInstance: false,
        // How it grows.
        type: "online",
        tags,
      },
      { parent: this, protect, retainOnDelete: protect },
    );
    const attached = new alicloud.ecs.EcsDiskAttachment(
      `${name}-data`,
      { diskId: disk.id, instanceId: instance.id },
      { parent: this },
    );

    const hostKey = new local.Command(
      `${name}-host-key`,
      {
        create: commandLine("aliyun", "host-key", "--region", region, "--instance", "-"),
        stdin: instance.id,
        addPreviousOutputInEnv: false,
        logging: local.Logging.Stderr,
      },
      { parent: this },
    ).stdout;
    const eip = options.publicAddresses ? this.publicAddress(name, title, instance, options) : undefined;
    this.access = pulumi.all([eip ?? address, hostKey]).apply(
      ([host, key]): SshAccess => ({
        host,
        port: 22,
        user: options.user,
        hostKey: key.trim(),
        ...(options.privateKeyFile ? { identityFile: options.privateKeyFile } : {}),
        ...(options.jump ? { jump: options.jump } : {}),
      }),
    );
    this.ready = this.mountDataDisk(name, args, disk, attached);
    this.registerOutputs({});
  }

  /** The database's directory lies on the data disk before PostgreSQL is installed. */
  private mountDataDisk(
    name: string,
    { options, privateKey, reachable }: NodeArgs,
    disk: alicloud.ecs.EcsDisk,
    attached: pulumi.Resource,
  ): remote.Command {
    return new remote.Command(
      `${name}-data-disk`,
      {
        connection: connectionTo(this.access, privateKey, 60),
        // A disk's serial number is its id without the beginning.
        create: disk.id.apply((id) =>
          asRoot(options.user, `sh -s ${quote(id.replace(/^d-/, ""))} /var/lib/postgresql ${options.dataDiskGb}`),
        ),
        stdin: hostScript("infrastructure/aliyun/host/data-disk.sh"),
        addPreviousOutputInEnv: false,
        logging: remote.Logging.Stderr,
      },
      { parent: this, dependsOn: [attached, ...reachable], customTimeouts: { create: "15m" } },
    );
  }

  private publicAddress(
    name: string,
    title: string,
    instance: alicloud.ecs.Instance,
    { tags, protect }: AliyunOptions,
  ): pulumi.Output<string> {
    const eip = new alicloud.ecs.EipAddress(
      name,
      {
        addressName: title,
        bandwidth: "100",
        internetChargeType: "PayByTraffic",
        paymentType: "PayAsYouGo",
        deletionProtection: protect,
        tags,
      },
      { parent: this, protect },
    );
    const bound = new alicloud.ecs.EipAssociation(
      name,
      { allocationId: eip.id, instanceId: instance.id, instanceType: "EcsInstance" },
      { parent: this },
    );
    return pulumi.all([eip.ipAddress, bound.id]).apply(([address]) => address);
  }
}
