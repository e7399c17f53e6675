import { z } from "zod";
import { CloudApi, CloudFault, CloudRefusal, commonFault, type Pace } from "./cloud-api.ts";

/** A new instance boots, and its Cloud Assistant reports, within this time. */
const usual: Pace = { deadlineMs: 600_000, pauseMs: 3_000, requestMs: 10_000 };

const invocations = z.object({
  Invocation: z.object({
    InvocationResults: z.object({
      InvocationResult: z.array(
        z.object({ InvokeRecordStatus: z.string(), ExitCode: z.number().optional(), Output: z.string().default("") }),
      ),
    }),
  }),
});

/** Ended, and not well. */
const failed = /^(Failed|Stopped|PartialFailed|Cancelled|Terminated|Timeout|Error|Invalid|Aborted)$/;
/** It is not up yet, or its Cloud Assistant has not said so. */
const early = /NotRunning|IncorrectInstanceStatus|InvalidInstanceStatus|ClientNot|NotReady|OperationConflict/;

/** Where an instance is, and how its API is reached. */
export interface Target {
  region: string;
  instance: string;
  /** Another address of the ECS API. */
  endpoint?: string;
}

/**
 * An instance's own public host key, read by Cloud Assistant through the ECS API: the first SSH connection already knows whom it
 * talks to. Waits for an instance that boots.
 * @returns type and key, as in authorized_keys.
 * @throws CloudFault with the next thing to try.
 */
export async function readHostKey({ region, instance, endpoint }: Target, log: (line: string) => void, pace = usual) {
  const api = await CloudApi.open({ region, endpoint }, pace, log);
  const command = "cat /etc/ssh/ssh_host_ed25519_key.pub";
  const query = {
    Type: "RunShellScript",
    CommandContent: Buffer.from(command).toString("base64"),
    ContentEncoding: "Base64",
    "InstanceId.1": instance,
    Timeout: "60",
    Name: "harbor-ha-host-key",
  };
  let said = "";
  do {
    try {
      const { InvokeId } = await api.call("RunCommand", query, z.object({ InvokeId: z.string() }));
      const key = await outputOf(api, InvokeId);
      const words = /^(ssh-ed25519) ([A-Za-z0-9+/]+=*)/.exec(key);
      if (words) return `${words[1]} ${words[2]}`;
      said = "its host key was not there yet";
    } catch (error) {
      if (!(error instanceof CloudRefusal)) throw error;
      if (!early.test(error.code)) throw faultOf(error, instance);
      said = error.code;
    }
    log(`${instance} cannot be asked yet: ${said}`);
  } while (await api.pause());
  throw new CloudFault(
    "host-key.no-answer",
    `${instance} did not tell its host key in ${pace.deadlineMs / 1000} s (last: ${said})`,
    "look at it in the ECS console: it has to run, with its Cloud Assistant; then run pulumi up again",
  );
}

async function outputOf(api: CloudApi, InvokeId: string): Promise<string> {
  do {
    const { Invocation } = await api.call(
      "DescribeInvocationResults",
      { InvokeId, ContentEncoding: "PlainText" },
      invocations,
    );
    const [result] = Invocation.InvocationResults.InvocationResult;
    if (result?.InvokeRecordStatus === "Finished") return result.ExitCode === 0 ? result.Output : "";
    if (result && failed.test(result.InvokeRecordStatus)) return "";
  } while (await api.pause());
  return "";
}

function faultOf(refusal: CloudRefusal, instance: string): CloudFault {
  const { code, requestId } = refusal;
  return (
    commonFault(refusal, `to run a command on ${instance}`, "ecs:RunCommand and ecs:DescribeInvocationResults") ??
    new CloudFault(
      "host-key.refused",
      `Alibaba Cloud refuses to run a command on ${instance} (${code}, request ${requestId})`,
      "look at the instance in the ECS console, then run pulumi up again",
    )
  );
}
