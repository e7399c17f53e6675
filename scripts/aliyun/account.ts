import { z } from "zod";
import { initActions } from "../../components/model/aliyun-policies.ts";
import { CloudApi, CloudFault, CloudRefusal, commonFault, type Pace, type Service } from "./cloud-api.ts";

/** What only the account knows, asked once and frozen in the stack file. */
export interface Account {
  zones: [string, string];
  image: string;
  instanceType: string;
}

/** What is sold where. */
export interface Offers {
  /** Zones in which an instance type can be bought now, in order of preference. */
  instanceTypes: [type: string, zones: string[]][];
  nlb: string[];
  nas: string[];
}

/** 2 cores and 4 GB, the cheapest first; zones differ in what they still sell. */
const wantedTypes = ["ecs.e-c1m2.large", "ecs.u1-c1m2.large", "ecs.c7.large", "ecs.c6.large"];
const imageFamily = "acs:debian_12_x64";

const usual: Pace = { deadlineMs: 60_000, pauseMs: 1_000, requestMs: 10_000 };

/** The first instance type that two zones sell together with balancer and share, and those zones: the newest two. */
export function choose({
  instanceTypes,
  nlb,
  nas,
}: Offers): { instanceType: string; zones: [string, string] } | undefined {
  for (const [instanceType, sold] of instanceTypes) {
    const [two, one] = sold
      .filter((zone) => nlb.includes(zone) && nas.includes(zone))
      .sort()
      .reverse();
    if (one && two) return { instanceType, zones: [one, two] };
  }
  return undefined;
}

/**
 * Asks the account what the region sells. Changes nothing there.
 * @throws CloudFault with the next thing to try.
 */
export async function askAccount(
  region: string,
  diskCategory: string,
  log: (line: string) => void,
  { pace = usual, endpoint }: { pace?: Pace; endpoint?: string } = {},
): Promise<Account> {
  const open = (service: Service) => CloudApi.open({ region, endpoint }, pace, log, service);
  const [ecs, nlb, nas] = await Promise.all([open("ecs"), open("nlb"), open("nas")]);
  try {
    const [nlbZones, nasZones, image, ...instanceTypes] = await Promise.all([
      nlb.call("DescribeZones", {}, nlbAnswer),
      nas.call("DescribeZones", { FileSystemType: "standard" }, nasAnswer),
      newestImage(ecs),
      ...wantedTypes.map((type) => zonesThatSell(ecs, type, diskCategory)),
    ]);
    const chosen = choose({ instanceTypes, nlb: nlbZones, nas: nasZones });
    if (chosen) return { ...chosen, image };
    throw new CloudFault(
      "account.no-zones",
      `${region} has no two zones that sell ${wantedTypes.join(" or ")} with ${diskCategory} disks, NLB and NAS now`,
      `choose another region, or ${byHand}`,
    );
  } catch (error) {
    throw error instanceof CloudRefusal ? faultOf(error, region) : error;
  }
}

const nlbAnswer = z
  .object({ Zones: z.array(z.object({ ZoneId: z.string() })) })
  .transform(({ Zones }) => Zones.map(({ ZoneId }) => ZoneId));

const nasAnswer = z
  .object({
    Zones: z.object({
      Zone: z.array(
        z.object({ ZoneId: z.string(), Capacity: z.object({ Protocol: z.array(z.string()).default([]) }).optional() }),
      ),
    }),
  })
  .transform(({ Zones }) =>
    Zones.Zone.filter(({ Capacity }) => Capacity?.Protocol.some((protocol) => /^nfs$/i.test(protocol))).map(
      ({ ZoneId }) => ZoneId,
    ),
  );

const stock = z
  .object({
    AvailableZones: z
      .object({
        AvailableZone: z.array(z.object({ ZoneId: z.string(), Status: z.string(), StatusCategory: z.string() })),
      })
      .default({ AvailableZone: [] }),
  })
  .transform(({ AvailableZones }) =>
    AvailableZones.AvailableZone.filter(
      ({ Status, StatusCategory }) => Status === "Available" && /^(Closed)?WithStock$/.test(StatusCategory),
    ).map(({ ZoneId }) => ZoneId),
  );

async function zonesThatSell(ecs: CloudApi, type: string, disk: string): Promise<[string, string[]]> {
  const query = {
    DestinationResource: "InstanceType",
    InstanceType: type,
    InstanceChargeType: "PostPaid",
    SystemDiskCategory: disk,
    IoOptimized: "optimized",
    NetworkCategory: "vpc",
  };
  return [type, await ecs.call("DescribeAvailableResource", query, stock)];
}

const images = z.object({
  Images: z.object({ Image: z.array(z.object({ ImageId: z.string(), CreationTime: z.string() })) }),
});

async function newestImage(ecs: CloudApi): Promise<string> {
  const { Images } = await ecs.call(
    "DescribeImages",
    { ImageFamily: imageFamily, ImageOwnerAlias: "system", Status: "Available", PageSize: "50" },
    images,
  );
  const [newest] = Images.Image.sort((a, b) => b.CreationTime.localeCompare(a.CreationTime));
  if (newest) return newest.ImageId;
  throw new CloudFault("account.no-image", `the region has no image of ${imageFamily}`, byHand);
}

const byHand =
  "write the block `harbor-ha:aliyun` of stacks/examples/aliyun-minimal.yaml into Pulumi.<stack>.yaml yourself: init asks nothing then (aliyun.image is this one of yours)";

function faultOf(refusal: CloudRefusal, region: string): CloudFault {
  const { code, requestId } = refusal;
  if (/Region/.test(code))
    return new CloudFault(
      "account.region",
      `there is no region ${region} (${code})`,
      "use a region's id, e.g. cn-hangzhou",
    );
  return (
    commonFault(refusal, `to ask what ${region} sells`, initActions.join(", ")) ??
    new CloudFault(
      "account.refused",
      `Alibaba Cloud refuses to say what ${region} sells (${code}, request ${requestId})`,
      byHand,
    )
  );
}
