/** What something costs, and how far to trust it. Prices differ by region, date and contract: only the account knows. */
export interface Price {
  /** Chinese yuan, in regions of mainland China, pay as you go, without discount. */
  cny: number;
  per: "month" | "GB and month" | "GB" | "10,000 requests";
  /** Where the figure is from. */
  source: string;
  /** Of that source, YYYY-MM. */
  date: string;
}

/** A month has 720 hours; a price in dollars is taken times 7. */
const hourly = (cny: number, source: string, date: string): Price => ({
  cny: Math.round(cny * 720 * 100) / 100,
  per: "month",
  source,
  date,
});
const guess = (cny: number, per: Price["per"] = "GB and month"): Price => ({
  cny,
  per,
  source: "rough, no list price found",
  date: "2026-11",
});

/** Instance types; another one has no price here. */
export const instancePrices: Record<string, Price> = {
  "ecs.e-c1m2.large": guess(125, "month"),
  "ecs.c6.large": hourly(0.39, "sample of the DescribePrice API", "2025-12"),
};

export const diskPrices: Record<string, Price> = {
  cloud_essd_entry: guess(0.5),
  cloud_auto: guess(0.5),
  cloud_efficiency: guess(0.35),
  cloud_ssd: guess(1),
  cloud_essd: guess(1),
};

export const nasPrices: Record<string, Price> = {
  Capacity: { cny: 0.35, per: "GB and month", source: "NAS billing page", date: "2025-11" },
  Performance: {
    cny: 1.91,
    per: "GB and month",
    source: "NAS billing page, by its factor to Capacity",
    date: "2025-11",
  },
  Premium: guess(0.75),
};

export const balancerPrices = {
  nlb: hourly(0.14, "NLB billing page, $0.02 an hour", "2024-03"),
  clb: hourly(0.147, "CLB billing page", "2025-06"),
  /** One unit of capacity, used all the month. */
  unit: hourly(0.0343, "NLB resource plans, $0.0049 a unit and hour", "2025-03"),
};

export const redisPrices: Record<string, Price> = {
  "redis.master.small.default": guess(90, "month"),
  "redis.shard.small.ce": guess(90, "month"),
};

export const rdsPrices: Record<string, Price> = { "pg.n2.2c.2m": guess(450, "month") };

export const prices = {
  bucket: guess(0.15),
  rdsDisk: guess(1),
  traffic: guess(0.8, "GB"),
  requests: guess(0.01, "10,000 requests"),
  names: guess(1, "month"),
  nothing: { cny: 0, per: "month", source: "free of charge", date: "2026-11" } as Price,
};
