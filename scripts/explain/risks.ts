import type { Config } from "../../stacks/config.ts";

/** The options that shape the pair. */
export type Shape = Pick<Config, "target" | "storage" | "postgres" | "redis"> & {
  aliyun?: Config["aliyun"];
  record?: object;
  hosts?: { virtualAddress?: string };
};

/** What the loss of a part means. */
export interface Risk {
  part: string;
  /** Whether the pair cannot serve without it, however long. */
  single: boolean;
  downtime: string;
  data: string;
}

/** Of the lab's own measurements (README, Numbers): what a failover's command needs until the first write. */
const failover = "writes: until you run failover, and about 5 s; pulls go on";

/** What the loss of each part costs, as the options are. */
export function risks(shape: Shape): Risk[] {
  const cloud = shape.target === "aliyun" ? shape.aliyun : undefined;
  const database = !shape.postgres.external && !cloud?.postgres;
  const ownRedis = !shape.redis.external && !cloud?.redis;
  const bucket = cloud ? cloud.images === "oss" : shape.storage.s3 !== undefined;
  const risk = (part: string, single: boolean, downtime: string, data: string): Risk => ({
    part,
    single,
    downtime,
    data,
  });
  return [
    database
      ? risk(
          "the primary's node",
          false,
          cloud
            ? "writes: until you run failover, and the cloud has stopped the instance by force; pulls go on"
            : failover,
          "nothing that was acknowledged while the standby was in sync; otherwise failover refuses",
        )
      : ownRedis
        ? risk(
            "the node of Redis' master",
            false,
            "logins and jobs: until you run failover; connections through it break",
            "sessions and queued jobs since the replica's last word; no images",
          )
        : risk("a node", false, "connections through it break; clients come back through the other one", "none"),
    ...(database
      ? [
          risk(
            "the standby's node",
            false,
            shape.postgres.durability === "strict"
              ? "writes wait until it is back"
              : `writes wait ${shape.postgres.degradeAfterSeconds} s, then go on without a second copy`,
            "none; until it is back a loss of the primary costs all since",
          ),
        ]
      : []),
    ...zones(cloud, bucket),
    images(shape, cloud, bucket),
    ...servers(shape, cloud, ownRedis),
    ...(database || ownRedis
      ? [
          risk(
            cloud
              ? "the record's bucket"
              : shape.record
                ? "the record's bucket"
                : "the directory that holds the record",
            false,
            "none while nothing else fails; no switchover or failover until it is back",
            "none",
          ),
        ]
      : []),
    endpoint(shape, cloud),
    risk(
      cloud ? "the region" : "both machines' site",
      true,
      "all of it, until the site is back or a pair elsewhere has been restored",
      "all since the last backup that lies elsewhere; this stack makes none elsewhere by itself",
    ),
  ];
}

function zones(cloud: Shape["aliyun"], bucket: boolean): Risk[] {
  if (!cloud) return [];
  return [
    bucket
      ? {
          part: `zone ${cloud.zones[0]} or ${cloud.zones[1]}`,
          single: false,
          downtime: "like the loss of its node",
          data: "like the loss of its node",
        }
      : {
          part: `zone ${cloud.zones[0]}, which holds the NAS share`,
          single: true,
          downtime: "pushes and pulls: until the zone is back; the database can fail over",
          data: "none, if the zone comes back",
        },
  ];
}

function images(shape: Shape, cloud: Shape["aliyun"], bucket: boolean): Risk {
  const data = "all images: there is no second copy until you make backups of them";
  if (bucket)
    return cloud
      ? {
          part: "the images' bucket (three zones)",
          single: true,
          downtime: "pushes and pulls: until OSS is back",
          data: `${data}; what was deleted can be brought back for 7 days`,
        }
      : { part: "the images' bucket", single: true, downtime: "pushes and pulls: until it is back", data };
  return {
    part: cloud ? "the NAS share" : shape.storage.nfs ? "the NFS server" : "the shared directory",
    single: true,
    downtime: "pushes and pulls: until it is back",
    data: cloud ? `${data}; what was deleted can be brought back for 7 days` : data,
  };
}

function servers(shape: Shape, cloud: Shape["aliyun"], ownRedis: boolean): Risk[] {
  const own = ownRedis ? [] : [shape.redis.external ? "your Redis server" : "the managed Redis"];
  const risks: Risk[] = own.map((part) => ({
    part,
    single: shape.redis.external !== undefined,
    downtime: cloud?.redis
      ? "logins and jobs: until its provider has switched to the other zone"
      : "logins and jobs: until it is back",
    data: "sessions and queued jobs since its last copy; no images",
  }));
  if (cloud?.postgres)
    risks.push({
      part: "RDS PostgreSQL's primary",
      single: false,
      downtime: "until RDS has switched to the other zone",
      data: "as RDS' own replication mode says",
    });
  else if (shape.postgres.external)
    risks.push({
      part: "your PostgreSQL server",
      single: true,
      downtime: "everything but nothing stored is lost: until it is back",
      data: "what its own backups do not hold",
    });
  return risks;
}

function endpoint(shape: Shape, cloud: Shape["aliyun"]): Risk {
  if (cloud)
    return cloud.loadBalancer.kind === "nlb"
      ? {
          part: "a zone of the balancer",
          single: false,
          downtime: "connections through it break; new ones take the other zone",
          data: "none",
        }
      : {
          part: "the balancer's zone",
          single: false,
          downtime: "until its provider has moved it to the reserve zone",
          data: "none",
        };
  if (shape.hosts && !shape.hosts.virtualAddress)
    return { part: "your balancer", single: true, downtime: "all of it, until it is back", data: "none" };
  return {
    part: "the holder of the virtual address",
    single: false,
    downtime: "about a second: keepalived moves it",
    data: "none",
  };
}
