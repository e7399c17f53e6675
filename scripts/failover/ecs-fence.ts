import { z } from "zod";
import { CloudApi, CloudFault, CloudRefusal, commonFault, type EcsFence, type Pace } from "../aliyun/cloud-api.ts";

type Log = (line: string) => void;

/** A node and where its peer finds it. */
interface Machine {
  name: string;
  address: string;
}

const usual: Pace = { deadlineMs: 120_000, pauseMs: 2_000, requestMs: 5_000 };
/** A trial is no emergency: an API that does not answer soon is a finding. */
const brief: Pace = { ...usual, deadlineMs: 15_000 };

/** What is read in vain this often was not just an old state. */
const sureAfter = 5;

/**
 * Stops a node's instance by force until it is `Stopped`.
 *
 * What DescribeInstances says may be some seconds old, so `Stopped` alone proves nothing: somebody may just have started it.
 * It counts when it was read after StopInstance had been answered, and either the stop was accepted and the instance had been
 * read to be on, or every answer for some time was: cannot be stopped, and `Stopped`.
 * @throws CloudFault if that cannot be reached.
 */
export async function stopInstance(fence: EcsFence, machine: Machine, log: Log, pace = usual): Promise<void> {
  const api = await CloudApi.open(fence, pace, log);
  const id = instanceOf(fence, machine);
  let status = await look(api, fence, machine);
  log(`${machine.name} is the instance ${id}, ${status}; it is stopped by force`);
  let wasOn = status !== "Stopped";
  let accepted = false;
  let stopped = 0;
  do {
    if ((await stop(api, fence, machine)) && !accepted) {
      accepted = true;
      stopped = 0;
    }
    status = await look(api, fence, machine);
    if (status === "Stopped") {
      stopped += 1;
      if ((accepted && wasOn) || stopped >= sureAfter) return log(`${id} is Stopped`);
    } else {
      wasOn = true;
      stopped = 0;
    }
  } while (await api.pause());
  throw new CloudFault(
    "fence.not-stopped",
    `the instance ${id} is ${status}, ${pace.deadlineMs / 1000} s after it was told to stop`,
    "run the same command again",
  );
}

/**
 * Whether a node's instance could be stopped; changes nothing.
 * @returns its status.
 * @throws CloudFault if it could not.
 */
export async function tryInstance(fence: EcsFence, machine: Machine, pace = brief): Promise<string> {
  const api = await CloudApi.open(fence, pace, () => {});
  const status = await look(api, fence, machine);
  // One that is off cannot be stopped, whoever asks.
  if (status !== "Running") return status;
  const query = { InstanceId: instanceOf(fence, machine), DryRun: "true" };
  await answered(fence, machine, "StopInstance", async () => {
    try {
      await api.call("StopInstance", query, z.unknown());
    } catch (error) {
      if (error instanceof CloudRefusal && (error.code === "DryRunOperation" || isInTransition(error))) return;
      throw error;
    }
    throw new CloudFault(
      "fence.refused",
      `the ECS API took a dry run for one in earnest: ${machine.name} may be stopping`,
      "do not use this API as a fence",
    );
  });
  return status;
}

const addresses = z.object({ IpAddress: z.array(z.string()).default([]) }).optional();
const instances = z.object({
  Instances: z.object({
    Instance: z.array(
      z.object({
        InstanceId: z.string(),
        Status: z.string(),
        VpcAttributes: z.object({ PrivateIpAddress: addresses }).optional(),
        InnerIpAddress: addresses,
        NetworkInterfaces: z
          .object({
            NetworkInterface: z
              .array(
                z.object({
                  PrivateIpSets: z
                    .object({ PrivateIpSet: z.array(z.object({ PrivateIpAddress: z.string() })).default([]) })
                    .optional(),
                }),
              )
              .default([]),
          })
          .optional(),
      }),
    ),
  }),
});
type Instance = z.infer<typeof instances>["Instances"]["Instance"][number];

const privateAddresses = ({ VpcAttributes, InnerIpAddress, NetworkInterfaces }: Instance) => [
  ...new Set([
    ...(VpcAttributes?.PrivateIpAddress?.IpAddress ?? []),
    ...(InnerIpAddress?.IpAddress ?? []),
    ...(NetworkInterfaces?.NetworkInterface ?? []).flatMap(({ PrivateIpSets }) =>
      (PrivateIpSets?.PrivateIpSet ?? []).map(({ PrivateIpAddress }) => PrivateIpAddress),
    ),
  ]),
];

/** The status of a node's instance, which is looked at to be that node's. */
async function look(api: CloudApi, fence: EcsFence, machine: Machine): Promise<string> {
  const id = instanceOf(fence, machine);
  const query = { InstanceIds: JSON.stringify([id]) };
  const { Instances } = await answered(fence, machine, "DescribeInstances", () =>
    api.call("DescribeInstances", query, instances),
  );
  const found = Instances.Instance.find(({ InstanceId }) => InstanceId === id);
  if (!found) throw noInstance(fence, machine);
  const held = privateAddresses(found);
  if (!held.includes(machine.address))
    throw new CloudFault(
      "fence.wrong-instance",
      `the instance ${id} has the private address ${held.join(", ") || "of no network"}, not ${machine.name}'s ${machine.address}, so it is another machine and was left alone`,
      correct(machine),
    );
  return found.Status;
}

/** @returns whether the stop was accepted, which is not its end; not where the instance is in no state to be stopped. */
async function stop(api: CloudApi, fence: EcsFence, machine: Machine): Promise<boolean> {
  // Without KeepCharging the account's setting may let a stopped instance lose its public address and its place.
  const query = { InstanceId: instanceOf(fence, machine), ForceStop: "true", StoppedMode: "KeepCharging" };
  return answered(fence, machine, "StopInstance", async () => {
    try {
      await api.call("StopInstance", query, z.object({ RequestId: z.string() }));
      return true;
    } catch (error) {
      if (error instanceof CloudRefusal && isInTransition(error)) return false;
      throw error;
    }
  });
}

/** Stopped already, or on its way from one state to the next. */
const isInTransition = ({ code }: CloudRefusal) =>
  /^(IncorrectInstanceStatus|OperationConflict|InvalidOperation\.Conflict|LastTokenProcessing)/.test(code);

function instanceOf({ instances }: EcsFence, { name }: Machine): string {
  const id = instances[name];
  if (!id)
    throw new CloudFault("fence.no-instance", `hosts.fence.aliyun names no instance for ${name}`, correct({ name }));
  return id;
}

/** What an action gives; a refusal in words for a person. */
async function answered<T>(fence: EcsFence, machine: Machine, action: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof CloudRefusal ? faultOf(error, fence, machine, action) : error;
  }
}

function faultOf(refusal: CloudRefusal, fence: EcsFence, machine: Machine, action: string): CloudFault {
  const { code, requestId } = refusal;
  const id = instanceOf(fence, machine);
  if (/^InvalidInstanceId|^Forbidden\.InstanceNotFound/.test(code)) return noInstance(fence, machine);
  if (/^InvalidRegionId/.test(code))
    return new CloudFault("fence.no-instance", `there is no region ${fence.region} (${code})`, correct(machine));
  return (
    commonFault(refusal, `ecs:${action} for ${id}`, "ecs:DescribeInstances and ecs:StopInstance for both instances") ??
    new CloudFault(
      "fence.refused",
      `Alibaba Cloud refuses ${action} for ${id} (${code}, request ${requestId})`,
      "look at the instance in the ECS console",
    )
  );
}

const noInstance = (fence: EcsFence, machine: Machine) =>
  new CloudFault(
    "fence.no-instance",
    `these credentials see no instance ${fence.instances[machine.name]} in ${fence.region}: it is in another region or account, deleted, or not allowed to them`,
    correct(machine),
  );

const correct = ({ name }: Pick<Machine, "name">) =>
  `look for ${name} in the ECS console; if hosts.fence.aliyun is wrong, correct it and run pulumi up`;
