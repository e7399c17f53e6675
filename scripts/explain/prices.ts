/** What something costs, and how far to trust it. Prices differ by region, date and contract: only the account knows. */
export interface Price {
  /** Chinese yuan, in regions of mainland China, pay as you go, without discount. */
  cny: number;
  per: "month" | "GB and month" | "GB" | "10,000 requests";
  /** Where the figure is from. */
  source: string;
  /** Of that source, YYYY-MM; of our reading where it bears none. */
  date: string;
}

/** A month has 720 hours. */
const hourly = (cny: number, source: string, date: string, per: Price["per"] = "month"): Price => ({
  cny: Math.round(cny * 720 * 100) / 100,
  per,
  source,
  date,
});
const rough = (cny: number, per: Price["per"] = "GB and month", why = "no list price found"): Price => ({
  cny,
  per,
  source: `rough, ${why}`,
  date: "2026-11",
});

const instances = "ECS price file (instancePrice.json)";

/** Instance types; another one has no price here. */
export const instancePrices: Record<string, Price> = {
  "ecs.e-c1m2.large": hourly(0.225, instances, "2024-10"),
  "ecs.u1-c1m2.large": hourly(0.351, instances, "2024-10"),
  "ecs.c6.large": hourly(0.39, instances, "2024-10"),
  "ecs.c7.large": hourly(0.4077, instances, "2024-10"),
  "ecs.c8i.large": hourly(0.4077, instances, "2024-10"),
  "ecs.g7.large": hourly(0.52325, instances, "2024-10"),
};

const disk = (cny: number) => hourly(cny, "ECS block storage page", "2026-11", "GB and month");

export const diskPrices: Record<string, Price> = {
  cloud_essd_entry: rough(0.5),
  cloud_auto: disk(0.0021),
  cloud_efficiency: rough(0.35),
  cloud_ssd: rough(1),
  // Performance level 1, what the disk gets where none is asked for.
  cloud_essd: disk(0.0021),
};

export const nasPrices: Record<string, Price> = {
  Capacity: { cny: 0.35, per: "GB and month", source: "NAS billing page", date: "2025-11" },
  Performance: { cny: 1.85, per: "GB and month", source: "NAS prices as users quote them", date: "2022-05" },
  Premium: rough(0.75),
};

/** Each with one unit of capacity (LCU), used all the month. */
export const balancerPrices = {
  nlb: {
    instance: hourly(0.147, "NLB billing page (439137)", "2026-11"),
    unit: hourly(0.037, "NLB billing page (439137)", "2026-11"),
  },
  clb: {
    instance: hourly(0.147, "CLB billing page", "2026-02"),
    unit: hourly(0.049, "comparison of load balancers", "2026-11"),
  },
};

const redis = rough(115, "month", "77 prepaid for 1 GB (2026-10) and half as much again");

export const redisPrices: Record<string, Price> = {
  "redis.master.small.default": redis,
  "redis.shard.small.ce": redis,
};

export const rdsPrices: Record<string, Price> = {
  "pg.n2.2c.2m": rough(780, "month", "520 prepaid for two cores and half as much again"),
};

export const prices = {
  bucket: { cny: 0.15, per: "GB and month", source: "OSS billing examples, three zones", date: "2024-11" } as Price,
  rdsDisk: rough(1),
  traffic: { cny: 0.8, per: "GB", source: "GetPayAsYouGoPrice, as a user quotes it", date: "2026-10" } as Price,
  requests: { cny: 0.01, per: "10,000 requests", source: "OSS billing examples", date: "2024-11" } as Price,
  names: { cny: 3, per: "month", source: "PrivateZone billing page (71338), one zone", date: "2026-11" } as Price,
  nothing: { cny: 0, per: "month", source: "free of charge", date: "2026-11" } as Price,
};
