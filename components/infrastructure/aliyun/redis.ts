import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { type AliyunOptions, nodeAddresses, type RedisOptions } from "../../model/aliyun.ts";

export interface RedisArgs {
  stack: string;
  options: AliyunOptions;
  redis: RedisOptions;
  password: string;
  switchId: pulumi.Input<string>;
  /** Zone of private names, in which it becomes `redis`. */
  zoneId: pulumi.Input<string>;
}

/**
 * A managed Redis, its master in node1's zone and its replica in node2's, that only the two nodes reach. Its loss costs sessions
 * and queued jobs, never images. Another class or zone changes in place.
 */
export class Redis extends pulumi.ComponentResource {
  /** What has to be there before it is used. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: RedisArgs, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:aliyun:Redis", name, {}, opts);
    const { stack, options, redis, password, switchId, zoneId } = args;
    const { zones, protect, tags } = options;
    const instance = new alicloud.kvstore.Instance(
      "redis",
      {
        dbInstanceName: `harbor-ha-${stack}`,
        instanceType: "Redis",
        engineVersion: redis.version,
        instanceClass: redis.instanceClass,
        paymentType: "PostPaid",
        zoneId: zones[0],
        secondaryZoneId: zones[1],
        vswitchId: switchId,
        vpcAuthMode: "Open",
        password,
        securityIps: nodeAddresses(options),
        // Jobs wait in it: at the limit writes fail, and nothing is thrown away.
        config: { "maxmemory-policy": "noeviction" },
        instanceReleaseProtection: protect,
        backupPeriods: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
        backupTime: "18:00Z-19:00Z",
        tags,
      },
      { parent: this, protect },
    );
    const record = new alicloud.pvtz.ZoneRecord(
      "redis",
      { zoneId, rr: "redis", type: "CNAME", value: instance.connectionDomain, ttl: 60 },
      { parent: this },
    );
    this.ready = [record];
    this.registerOutputs({});
  }
}
