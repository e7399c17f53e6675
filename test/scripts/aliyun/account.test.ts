import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { askAccount, choose } from "../../../scripts/aliyun/account.ts";
import { type Answer, type Asked, cloud, refusal, secrets } from "../../support/ecs-cloud.ts";

const pace = { deadlineMs: 30_000, pauseMs: 1, requestMs: 5_000 };

beforeEach(() => {
  vi.stubEnv("ALIBABA_CLOUD_ACCESS_KEY_ID", secrets.id);
  vi.stubEnv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secrets.secret);
  vi.stubEnv("ALIBABA_CLOUD_SECURITY_TOKEN", secrets.token);
});
afterEach(() => vi.unstubAllEnvs());

const sold = (...zones: [id: string, status?: string, category?: string][]): Answer => [
  200,
  {
    AvailableZones: {
      AvailableZone: zones.map(([ZoneId, Status = "Available", StatusCategory = "WithStock"]) => ({
        ZoneId,
        Status,
        StatusCategory,
      })),
    },
  },
];
const image = (ImageId: string, CreationTime: string) => ({ ImageId, CreationTime });

/** A region as the documented APIs describe it. */
function region(changes: Record<string, (asked: Asked) => Answer> = {}) {
  return (asked: Asked): Answer => {
    const version = `${asked.headers["x-acs-version"]}`;
    const name = asked.action === "DescribeZones" ? (version === "2022-04-30" ? "nlb" : "nas") : asked.action;
    const change = changes[name];
    if (change) return change(asked);
    if (name === "nlb") return [200, { Zones: ["h", "j", "k"].map((letter) => ({ ZoneId: `cn-hangzhou-${letter}` })) }];
    if (name === "nas")
      return [
        200,
        {
          Zones: {
            Zone: [
              { ZoneId: "cn-hangzhou-g", Capacity: { Protocol: ["nfs"] } },
              { ZoneId: "cn-hangzhou-h", Capacity: { Protocol: ["smb"] } },
              { ZoneId: "cn-hangzhou-j", Capacity: { Protocol: ["NFS", "SMB"] } },
              { ZoneId: "cn-hangzhou-k", Capacity: { Protocol: ["nfs"] } },
            ],
          },
        },
      ];
    if (name === "DescribeImages")
      return [200, { Images: { Image: [image("old", "2026-01-01T00:00:00Z"), image("new", "2026-08-01T00:00:00Z")] } }];
    return sold(["cn-hangzhou-g"], ["cn-hangzhou-h"], ["cn-hangzhou-j"], ["cn-hangzhou-k"]);
  };
}

async function ask(answer: (asked: Asked, number: number) => Answer) {
  const { asked, inventory } = await cloud(answer);
  const { fence } = inventory;
  if (fence.kind !== "aliyun") throw new Error("no cloud");
  const account = await askAccount("cn-hangzhou", "cloud_essd_entry", () => {}, { pace, endpoint: fence.endpoint });
  return { account, asked };
}

test("two zones that sell everything, the newest image, and the cheapest instance type there", async () => {
  const { account, asked } = await ask(region());
  expect(account).toEqual({
    zones: ["cn-hangzhou-j", "cn-hangzhou-k"],
    image: "new",
    instanceType: "ecs.e-c1m2.large",
  });
  expect(asked.find(({ action }) => action === "DescribeAvailableResource")?.query).toMatchObject({
    InstanceChargeType: "PostPaid",
    SystemDiskCategory: "cloud_essd_entry",
  });
  // It looks, and changes nothing.
  expect(asked.every(({ action }) => action.startsWith("Describe"))).toBe(true);
});

test("what is sold out in one of the zones is not chosen", async () => {
  const { account } = await ask(
    region({
      DescribeAvailableResource: ({ query }) =>
        query.InstanceType === "ecs.e-c1m2.large"
          ? sold(["cn-hangzhou-j"], ["cn-hangzhou-k", "SoldOut", "WithoutStock"])
          : sold(["cn-hangzhou-j"], ["cn-hangzhou-k", "Available", "ClosedWithStock"]),
    }),
  );
  expect(account.instanceType).toBe("ecs.u1-c1m2.large");
});

test("a busy API is asked again", async () => {
  let first = true;
  const throttled = (asked: Asked): Answer => {
    if (!first) return region()(asked);
    first = false;
    return refusal("Throttling.User", asked, 400);
  };
  const { account } = await ask(region({ nlb: throttled }));
  expect(account.zones).toHaveLength(2);
});

describe("is refused with the next thing to try", () => {
  test.each<[string, Record<string, (asked: Asked) => Answer>, string, RegExp, RegExp]>([
    [
      "one zone only",
      { nlb: () => [200, { Zones: [{ ZoneId: "cn-hangzhou-k" }] }] },
      "account.no-zones",
      /no two zones/,
      /another region/,
    ],
    [
      "nothing sold",
      { DescribeAvailableResource: () => [200, {}] },
      "account.no-zones",
      /no two zones/,
      /another region/,
    ],
    [
      "no image",
      { DescribeImages: () => [200, { Images: { Image: [] } }] },
      "account.no-image",
      /debian_12/,
      /aliyun\.image/,
    ],
    [
      "no rights",
      { nas: (asked) => refusal("Forbidden.RAM", asked) },
      "cloud.permission",
      /Forbidden\.RAM/,
      /nas:DescribeZones/,
    ],
    [
      "no such region",
      { nlb: (asked) => refusal("InvalidRegionId.NotFound", asked, 404) },
      "account.region",
      /InvalidRegionId/,
      /region's id/,
    ],
  ])("%s", async (_, changes, id, words, remedy) => {
    const error = await ask(region(changes)).catch((error) => error);
    expect(error).toMatchObject({ id, message: expect.stringMatching(words), remedy: expect.stringMatching(remedy) });
    for (const secret of Object.values(secrets)) expect(`${error.message} ${error.remedy}`).not.toContain(secret);
  });
});

test("of several types the first that two zones sell with balancer and share", () => {
  const offers = {
    instanceTypes: [
      ["a", ["z1"]],
      ["b", ["z1", "z2", "z3"]],
    ] as [string, string[]][],
    nlb: ["z1", "z2", "z3"],
    nas: ["z1", "z2"],
  };
  expect(choose(offers)).toEqual({ instanceType: "b", zones: ["z1", "z2"] });
  expect(choose({ ...offers, nas: ["z1"] })).toBeUndefined();
});
