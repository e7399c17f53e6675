import type { AliyunOptions } from "../../components/model/aliyun.ts";
import { items, total, type Usage } from "./items.ts";

/** Another choice, and what it changes. */
export interface Variant {
  option: string;
  /** Yuan a month more (or less) than now; undefined where a price is not known. */
  difference?: number;
  change: string;
}

/** What a cheaper or safer pair would be. */
export function variants(aliyun: AliyunOptions, usage: Usage): Variant[] {
  const now = total(items(aliyun, usage));
  const variant = (option: string, other: AliyunOptions, change: string): Variant => {
    const then = total(items(other, usage));
    const known = now.without.length === 0 && then.without.length === 0;
    return {
      option,
      ...(known ? { difference: Math.round((then.monthly - now.monthly) * 100) / 100 } : {}),
      change,
    };
  };
  const { redis: _, ...withoutRedis } = aliyun;
  const { postgres: __, ...withoutPostgres } = aliyun;
  return [
    aliyun.images === "nas"
      ? variant(
          "aliyun.images: oss",
          { ...aliyun, images: "oss" },
          "images survive the loss of a zone, and clients need not stay with one node; Harbor's registry must be able to sign for your account",
        )
      : variant(
          "aliyun.images: nas",
          { ...aliyun, images: "nas" },
          "no key that lives long; images are gone from sight with node1's zone",
        ),
    aliyun.redis
      ? variant("without aliyun.redis", withoutRedis, "Redis runs on the nodes, and moves with the database")
      : variant(
          "aliyun.redis",
          { ...aliyun, redis: { instanceClass: "redis.shard.small.ce", version: "7.0" } },
          "Redis fails over by itself, in its provider's time; one thing less on the nodes",
        ),
    aliyun.postgres
      ? variant(
          "without aliyun.postgres",
          withoutPostgres,
          "PostgreSQL runs on the nodes: failover is a command, backups are yours",
        )
      : variant(
          "aliyun.postgres",
          { ...aliyun, postgres: { instanceType: "pg.n2.2c.2m", storageGb: 50, version: "17.0" } },
          "the database fails over by itself, with backups and point-in-time recovery by its provider",
        ),
    ...(aliyun.loadBalancer.public
      ? [
          variant(
            "aliyun.loadBalancer.public: false",
            { ...aliyun, loadBalancer: { ...aliyun.loadBalancer, public: false } },
            "clients need a way into the network (VPN, Cloud Enterprise Network); nothing is reachable from outside",
          ),
        ]
      : []),
  ];
}
