import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { type AliyunOptions, nodeAddresses } from "../../model/aliyun.ts";

export interface NasArgs {
  stack: string;
  options: AliyunOptions;
  vpcId: pulumi.Input<string>;
  /** The file system stands in node1's zone, and so does its mount target. */
  switchId: pulumi.Input<string>;
  /** Zone of private names, in which it becomes `nas`. */
  zoneId: pulumi.Input<string>;
}

/**
 * A share for images, encrypted, that only the two nodes may mount. It stands in one zone: with that zone
 * the images are gone from sight until it is back. Replacing it loses every image: protected, and kept on `destroy`.
 */
export class Nas extends pulumi.ComponentResource {
  /** What has to be there before the share is mounted. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: NasArgs, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:aliyun:Nas", name, {}, opts);
    const { stack, options, vpcId, switchId, zoneId } = args;
    const { nas, protect, tags, zones } = options;
    const fileSystem = new alicloud.nas.FileSystem(
      "images",
      {
        fileSystemType: "standard",
        protocolType: "NFS",
        storageType: nas.storageType,
        zoneId: zones[0],
        // A key of the service's own: no KMS instance to pay for, nor to lose.
        encryptType: 1,
        recycleBin: { status: "Enable", reservedDays: 7 },
        description: `harbor-ha ${stack}`,
        tags,
      },
      { parent: this, protect, retainOnDelete: protect },
    );
    const group = new alicloud.nas.AccessGroup(
      "images",
      { accessGroupName: `harbor-ha-${stack}`, accessGroupType: "Vpc", fileSystemType: "standard" },
      { parent: this, deleteBeforeReplace: true },
    );
    const rules = nodeAddresses(options).map(
      (sourceCidrIp, index) =>
        new alicloud.nas.AccessRule(
          `images-node${index + 1}`,
          {
            accessGroupName: group.accessGroupName,
            fileSystemType: "standard",
            sourceCidrIp,
            rwAccessType: "RDWR",
            // Harbor's folders belong to a user of its own: root makes them.
            userAccessType: "no_squash",
            priority: 1,
          },
          { parent: this },
        ),
    );
    const target = new alicloud.nas.MountTarget(
      "images",
      {
        fileSystemId: fileSystem.id,
        accessGroupName: group.accessGroupName,
        networkType: "Vpc",
        vpcId,
        vswitchId: switchId,
      },
      { parent: this, protect, dependsOn: rules },
    );
    const record = new alicloud.pvtz.ZoneRecord(
      "nas",
      { zoneId, rr: "nas", type: "CNAME", value: target.mountTargetDomain, ttl: 60 },
      { parent: this },
    );
    this.ready = [record];
    this.registerOutputs({});
  }
}
