import { createRequire } from "node:module";
import { setTimeout } from "node:timers/promises";
import type { z } from "zod";
import type { Fence } from "../../components/model/inventory.ts";

export type EcsFence = Extract<Fence, { kind: "aliyun" }>;

export interface Pace {
  /** For all calls together, their repetitions included. */
  deadlineMs: number;
  /** Between two looks; between two attempts of a call it begins with a quarter of it. */
  pauseMs: number;
  /** For one request. */
  requestMs: number;
}

/** Why the cloud does not do what was asked, and the next thing to try. Holds nothing that the API echoes, for that may be a key. */
export class CloudFault extends Error {
  readonly id: string;
  readonly remedy: string;
  constructor(id: string, reason: string, remedy: string) {
    super(reason);
    this.id = id;
    this.remedy = remedy;
  }
}

/** The API's own answer that it does not do what was asked. */
export class CloudRefusal extends Error {
  readonly code: string;
  readonly requestId: string;
  constructor(code: string, requestId: string) {
    super(code);
    this.code = code;
    this.requestId = requestId;
  }
}

/**
 * The refusals that any call may meet, in words for a person.
 * @param asked what was asked for, e.g. `ecs:StopInstance for i-1`.
 * @param rights what has to be allowed for it.
 * @returns undefined where only the caller knows what the code means.
 */
export function commonFault({ code }: CloudRefusal, asked: string, rights: string): CloudFault | undefined {
  const again = "run the same command again";
  if (/^(InvalidAccessKey|SignatureDoesNotMatch|IncompleteSignature|\w*SecurityToken|InvalidCredentials)/.test(code))
    return new CloudFault(
      "cloud.credentials",
      `Alibaba Cloud does not accept this machine's credentials (${code})`,
      `${whereCredentialsLie}, and ${again}`,
    );
  if (/^InvalidTimeStamp/.test(code))
    return new CloudFault(
      "cloud.clock",
      `Alibaba Cloud does not accept this machine's clock (${code})`,
      `set the clock, and ${again}`,
    );
  if (/^(Forbidden|NoPermission|Unauthorized)/.test(code))
    return new CloudFault(
      "cloud.permission",
      `this machine's credentials lack the permission ${asked} (${code})`,
      `allow ${rights} in RAM, and ${again}`,
    );
  return undefined;
}

/** The services that are asked, with the version of their API. */
const versions = { ecs: "2014-05-26", nlb: "2022-04-30", nas: "2017-06-26" };
export type Service = keyof typeof versions;

type Request = (action: string, query: Record<string, string>) => Promise<unknown>;

/** The API of a service in a region: a call is repeated until it is answered or the time is up. */
export class CloudApi {
  private readonly request: Request;
  /** As errors name it. */
  private readonly name: string;
  private readonly pace: Pace;
  private readonly log: (line: string) => void;
  private readonly deadline: number;

  private constructor(request: Request, name: string, pace: Pace, log: (line: string) => void) {
    this.request = request;
    this.name = name;
    this.pace = pace;
    this.log = log;
    this.deadline = performance.now() + pace.deadlineMs;
  }

  /** @throws CloudFault if this machine holds no credentials. */
  static async open(
    place: { region: string; endpoint?: string },
    pace: Pace,
    log: (line: string) => void,
    service: Service = "ecs",
  ): Promise<CloudApi> {
    const endpoint = place.endpoint ?? `https://${service}.${place.region}.aliyuncs.com`;
    const request = await signedRequest(service, endpoint, place.region, pace.requestMs);
    return new CloudApi(request, `${service.toUpperCase()} API at ${endpoint}`, pace, log);
  }

  /**
   * @throws CloudRefusal with the API's code.
   * @throws CloudFault if no answer came in time; what was asked for may have happened all the same.
   */
  async call<T>(action: string, query: Record<string, string>, answer: z.ZodType<T>): Promise<T> {
    let pauseMs = this.pace.pauseMs / 4;
    let said = "";
    for (;;) {
      let trouble = "an answer that is not the API's";
      try {
        const { success, data } = answer.safeParse(await this.request(action, query));
        if (success) return data;
      } catch (error) {
        trouble = passing(error as SdkError);
      }
      if (performance.now() + pauseMs > this.deadline)
        throw new CloudFault(
          "cloud.no-answer",
          `the ${this.name} did not answer ${action} in time (last: ${trouble})`,
          "run the same command again",
        );
      if (trouble !== said) this.log(`the ${this.name} does not answer yet: ${trouble}`);
      said = trouble;
      await setTimeout(pauseMs);
      pauseMs = Math.min(pauseMs * 2, this.pace.pauseMs * 4);
    }
  }

  /** Waits for the next look. @returns false if there is no time for one. */
  async pause(): Promise<boolean> {
    if (performance.now() + this.pace.pauseMs > this.deadline) return false;
    await setTimeout(this.pace.pauseMs);
    return true;
  }
}

/** Requests by the official SDK, which takes a quarter of a second to load: only who fences pays for it. */
async function signedRequest(service: Service, endpoint: string, region: string, requestMs: number): Promise<Request> {
  const load = createRequire(import.meta.url);
  const { default: Credential } = load("@alicloud/credentials") as typeof import("@alicloud/credentials");
  const { default: Client, ...models } = load("@alicloud/openapi-client") as typeof import("@alicloud/openapi-client");
  const { Config, OpenApiRequest, Params } = models;
  const credential = new Credential();
  // Asked for once before the first request, to tell "none here" from "no answer".
  await credential.getCredential().catch(() => {
    throw new CloudFault(
      "cloud.credentials",
      "this machine has no credentials for Alibaba Cloud that can be used",
      `${whereCredentialsLie}, and run the same command again`,
    );
  });
  const { protocol, host } = new URL(endpoint);
  const client = new Client(
    new Config({
      credential,
      regionId: region,
      endpoint: host,
      protocol: protocol.slice(0, -1),
      connectTimeout: requestMs,
      readTimeout: requestMs,
    }),
  );
  return async (action, query) => {
    const params = new Params({
      action,
      version: versions[service],
      style: "RPC",
      method: "POST",
      pathname: "/",
      authType: "AK",
      reqBodyType: "formData",
      bodyType: "json",
    });
    const request = new OpenApiRequest({ query: { RegionId: region, ...query } });
    // The SDK's own repetitions stay off: they know no deadline.
    const { body } = await client.callApi(params, request, {} as Parameters<typeof client.callApi>[2]);
    return body;
  };
}

const whereCredentialsLie =
  "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or a profile with `aliyun configure`";

/** What the SDK throws: `data` is the API's answer; without it there was none. */
interface SdkError extends Error {
  code?: unknown;
  data?: { statusCode?: number; Code?: unknown; RequestId?: unknown };
}

/**
 * What stands between a call and its answer, and may pass. Only codes: the messages hold URLs, and strings that were signed.
 * @throws CloudRefusal if the error is an answer.
 */
function passing({ name, code, data }: SdkError): string {
  if (!data) return /timeout/i.test(name) ? "nothing in time" : wordOr(code, "no answer that can be read");
  const status = data.statusCode ?? 0;
  const word = wordOr(data.Code, `HTTP ${status}`);
  if (status >= 500 || /throttling/i.test(word)) return word;
  throw new CloudRefusal(word, wordOr(data.RequestId, "unknown"));
}

const wordOr = (value: unknown, otherwise: string) =>
  typeof value === "string" && /^[\w.-]{1,80}$/.test(value) ? value : otherwise;
