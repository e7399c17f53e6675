import type { AliyunOptions } from "../../components/model/aliyun.ts";
import {
  balancerPrices,
  diskPrices,
  instancePrices,
  nasPrices,
  type Price,
  prices,
  rdsPrices,
  redisPrices,
} from "./prices.ts";

/** What the months's bill depends on beside the options. */
export interface Usage {
  /** GB of images. */
  images: number;
  /** GB a month that clients outside the region pull. */
  traffic: number;
}

/** Something that is made and paid for. */
export interface Item {
  what: string;
  /** How many, or how many GB. */
  amount: number;
  price?: Price;
  /** Yuan a month; undefined where no price is known. */
  monthly?: number;
  /** Pulumi's types of what it stands for. */
  types: string[];
  /** What `pulumi destroy` does with it. */
  end: "deleted" | "refused while protected";
}

/** In a month, in 10,000: each look lists the newest entries and reads one. */
const recordRequests = (2 * 2 * 30 * 24 * 3600) / 10_000;

/** Everything that a stack makes in the account, with its price. */
export function items(aliyun: AliyunOptions, usage: Usage): Item[] {
  const { loadBalancer, nas, images, redis, postgres } = aliyun;
  const gb = (amount: number) => `${amount} GB`;
  const disk = diskPrices[aliyun.diskCategory];
  const deleted = "deleted" as const;
  const held = aliyun.protect ? ("refused while protected" as const) : deleted;
  return [
    item(`ECS instance ${aliyun.instanceType}`, 2, instancePrices[aliyun.instanceType], held, [
      "ecs/instance:Instance",
    ]),
    item(`system disks, 2 × ${gb(aliyun.systemDiskGb)}`, 2 * aliyun.systemDiskGb, disk, held, []),
    item(`database disks, 2 × ${gb(aliyun.dataDiskGb)}`, 2 * aliyun.dataDiskGb, disk, held, [
      "ecs/ecsDisk:EcsDisk",
      "ecs/ecsDiskAttachment:EcsDiskAttachment",
    ]),
    ...(loadBalancer.kind === "nlb"
      ? [
          item("network load balancer in two zones", 1, balancerPrices.nlb.instance, held, [
            "nlb/loadBalancer:LoadBalancer",
            "nlb/listener:Listener",
            "nlb/serverGroup:ServerGroup",
            "nlb/serverGroupServerAttachment:ServerGroupServerAttachment",
          ]),
        ]
      : [
          item("classic load balancer", 1, balancerPrices.clb.instance, held, [
            "slb/applicationLoadBalancer:ApplicationLoadBalancer",
            "slb/listener:Listener",
            "slb/serverGroup:ServerGroup",
            "slb/serverGroupServerAttachment:ServerGroupServerAttachment",
          ]),
        ]),
    item("the balancer's capacity, one unit all the time", 1, balancerPrices[loadBalancer.kind].unit, deleted, []),
    images === "nas"
      ? item(
          `images on NAS (${nas.storageType}), ${gb(usage.images)}`,
          usage.images,
          nasPrices[nas.storageType],
          held,
          ["nas/fileSystem:FileSystem", "nas/mountTarget:MountTarget"],
        )
      : item(`images in OSS, ${gb(usage.images)}`, usage.images, prices.bucket, held, []),
    // With both elsewhere there is no record to look at.
    ...(redis && postgres
      ? []
      : [item("looks at the cluster record, two nodes, one a second", recordRequests, prices.requests, deleted, [])]),
    item("bucket of the cluster record, and that of backups (empty)", 2, prices.nothing, held, [
      "oss/bucket:Bucket",
      "oss/bucketAcl:BucketAcl",
      "oss/bucketPublicAccessBlock:BucketPublicAccessBlock",
      "oss/bucketOverwriteConfig:BucketOverwriteConfig",
    ]),
    ...(redis
      ? [
          item(`managed Redis ${redis.instanceClass}`, 1, redisPrices[redis.instanceClass], held, [
            "kvstore/instance:Instance",
          ]),
        ]
      : []),
    ...(postgres
      ? [
          item(
            `RDS PostgreSQL ${postgres.instanceType}, high availability`,
            1,
            rdsPrices[postgres.instanceType],
            held,
            [
              "rds/instance:Instance",
              "rds/database:Database",
              "rds/rdsAccount:RdsAccount",
              "rds/accountPrivilege:AccountPrivilege",
              "rds/backupPolicy:BackupPolicy",
            ],
          ),
          item(`its disk, ${gb(postgres.storageGb)}`, postgres.storageGb, prices.rdsDisk, held, []),
        ]
      : []),
    ...(loadBalancer.public || aliyun.publicAddresses
      ? [
          item(
            loadBalancer.public
              ? `traffic to the internet, ${gb(usage.traffic)} a month`
              : "addresses of the nodes, for SSH and packages",
            loadBalancer.public ? usage.traffic : 0,
            prices.traffic,
            deleted,
            [...(aliyun.publicAddresses ? ["ecs/eipAddress:EipAddress", "ecs/eipAssociation:EipAssociation"] : [])],
          ),
        ]
      : []),
    item("network, private names, rules, login key, roles", 1, prices.names, held, [
      ...(aliyun.network.existing ? [] : ["vpc/network:Network", "vpc/switch:Switch"]),
      "ecs/securityGroup:SecurityGroup",
      "ecs/securityGroupRule:SecurityGroupRule",
      "ecs/ecsKeyPair:EcsKeyPair",
      "ecs/ramRoleAttachment:RamRoleAttachment",
      "pvtz/zone:Zone",
      "pvtz/zoneAttachment:ZoneAttachment",
      ...(images === "nas" || redis || postgres ? ["pvtz/zoneRecord:ZoneRecord"] : []),
      ...(images === "nas" ? ["nas/accessGroup:AccessGroup", "nas/accessRule:AccessRule"] : []),
      "ram/role:Role",
      "ram/policy:Policy",
      "ram/rolePolicyAttachment:RolePolicyAttachment",
      ...(images === "oss"
        ? ["ram/user:User", "ram/userPolicyAttachment:UserPolicyAttachment", "ram/accessKey:AccessKey"]
        : []),
    ]),
  ];
}

function item(what: string, amount: number, price: Price | undefined, end: Item["end"], types: string[]): Item {
  const monthly = price && Math.round(price.cny * amount * 100) / 100;
  return { what, amount, ...(price ? { price, monthly } : {}), types: types.map((type) => `alicloud:${type}`), end };
}

/** The sum of what has a price, and what has none. */
export function total(rows: Item[]): { monthly: number; without: string[] } {
  const sum = rows.reduce((sum, { monthly = 0 }) => sum + monthly, 0);
  return {
    monthly: Math.round(sum * 100) / 100,
    without: rows.filter(({ price }) => !price).map(({ what }) => what),
  };
}
