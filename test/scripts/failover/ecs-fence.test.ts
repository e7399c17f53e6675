import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Inventory } from "../../../components/model/inventory.ts";
import { checkFence, fence } from "../../../scripts/failover/fence.ts";
import type { UserError } from "../../../scripts/user-error.ts";
import {
  type Answer,
  type Asked,
  accepted,
  closeCloud,
  cloud,
  described,
  Machine,
  refusal,
  type State,
  secrets,
} from "../../support/ecs-cloud.ts";

const pace = { deadlineMs: 30_000, pauseMs: 1, requestMs: 5_000 };

beforeEach(() => {
  vi.stubEnv("ALIBABA_CLOUD_ACCESS_KEY_ID", secrets.id);
  vi.stubEnv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secrets.secret);
  vi.stubEnv("ALIBABA_CLOUD_SECURITY_TOKEN", secrets.token);
});
afterEach(() => vi.unstubAllEnvs());

/** Fences node1; whatever it refuses with must name no credential. */
async function stopped(inventory: Inventory, changes: Partial<typeof pace> = {}): Promise<string[]> {
  const said: string[] = [];
  const log = (line: string) => said.push(line);
  await fence(inventory, "node1", false, log, { ...pace, ...changes }).catch((error: UserError) => {
    for (const secret of Object.values(secrets)) expect(error.message).not.toContain(secret);
    expect(error.message).toMatch(
      /^node1 is not proven to be off: .*Next: .*--i-switched-it-off-by-hand \[(fence|cloud)\./,
    );
    throw error;
  });
  expect(said.join()).not.toMatch(new RegExp(Object.values(secrets).join("|")));
  return said;
}

const refused = (id: string, words: RegExp) => ({
  exitCode: 2,
  message: expect.stringMatching(new RegExp(`${words.source}.*\\[${id.replace(".", "\\.")}\\]$`)),
});

describe("an instance that is on", () => {
  test("is stopped by force, and keeps its place and its address", async () => {
    const { asked, inventory } = await cloud(new Machine("Running").answer);
    expect(await stopped(inventory)).toEqual([
      "node1 is the instance i-bp1one, Running; it is stopped by force",
      "i-bp1one is Stopped",
    ]);
    const [look, stop] = asked;
    expect(look).toMatchObject({
      action: "DescribeInstances",
      query: { RegionId: "cn-hangzhou", InstanceIds: '["i-bp1one"]' },
    });
    expect(stop).toMatchObject({
      action: "StopInstance",
      query: { RegionId: "cn-hangzhou", InstanceId: "i-bp1one", ForceStop: "true", StoppedMode: "KeepCharging" },
      headers: {
        "x-acs-version": "2014-05-26",
        "x-acs-security-token": secrets.token,
        authorization: expect.stringMatching(
          new RegExp(`^ACS3-HMAC-SHA256 Credential=${secrets.id},SignedHeaders=.+,Signature=[0-9a-f]{64}$`),
        ),
      },
    });
    expect(JSON.stringify(asked.map(({ query }) => query))).not.toMatch(new RegExp(Object.values(secrets).join("|")));
  });

  test("is looked for among all its addresses", async () => {
    const machine = new Machine("Running");
    const { inventory } = await cloud((asked) => {
      const answer = machine.answer(asked);
      const text = JSON.stringify(answer);
      const network = { PrivateIpSets: { PrivateIpSet: [{ PrivateIpAddress: "10.231.77.11", Primary: true }] } };
      return asked.action === "StopInstance"
        ? answer
        : JSON.parse(
            text
              .replace("10.231.77.11", "192.168.0.9")
              .replace('"InnerIpAddress"', `"NetworkInterfaces":{"NetworkInterface":[${JSON.stringify(network)}]},$&`),
          );
    });
    await stopped(inventory);
    expect(machine.state).toBe("Stopped");
  });
});

describe("whatever an instance does, it is off when it is said to be", () => {
  const times = (count: number, state: State) => Array<State>(count).fill(state);
  test.each<[now: State, past: State[]]>([
    ...(["Pending", "Starting", "Running", "Stopping", "Stopped"] as const).flatMap((now): [State, State[]][] => [
      [now, []],
      [now, times(1, "Running")],
      [now, times(6, "Running")],
      [now, times(1, "Stopped")],
      [now, times(6, "Stopped")],
    ]),
    ["Starting", times(12, "Stopped")],
    ["Starting", [...times(2, "Running"), ...times(4, "Stopped")]],
  ])("%s, after %j was read", async (now, past) => {
    const machine = new Machine(now, past);
    const { inventory } = await cloud(machine.answer);
    await stopped(inventory);
    expect(machine.state).toBe("Stopped");
  });
});

describe("what passes is waited for", () => {
  test.each<[string, (asked: Asked) => Answer]>([
    ["throttling", (asked) => refusal("Throttling.User", asked, 400)],
    ["throttling of the API", (asked) => refusal("Throttling", asked, 503)],
    ["an error of the service", (asked) => refusal("InternalError", asked, 500)],
    ["a gateway's page", () => [502, "<html>Bad Gateway</html>"]],
    ["a login page", () => [200, "<html>Welcome</html>"]],
    ["another API", () => [200, { hello: "world" }]],
    ["a connection that breaks", () => "reset"],
    ["no answer", () => "silence"],
    ["half an answer", () => "half"],
  ])("%s", async (_, trouble) => {
    const machine = new Machine("Running");
    const { asked, inventory } = await cloud((asked, number) =>
      number % 3 === 1 ? machine.answer(asked) : trouble(asked),
    );
    const said = await stopped(inventory, { requestMs: 100 });
    expect(machine.state).toBe("Stopped");
    expect(asked.filter(({ action }) => action === "StopInstance").length).toBeGreaterThan(2);
    expect(said.join()).toContain("does not answer yet");
  });
});

describe("what is no proof is refused, with the next thing to try", () => {
  test.each<[string, string, RegExp, (asked: Asked) => Answer]>([
    [
      "an unknown key",
      "cloud.credentials",
      /credentials \(InvalidAccessKeyId\.NotFound\).*ALIBABA_CLOUD_ACCESS_KEY_ID/,
      (asked) => refusal("InvalidAccessKeyId.NotFound", asked, 404),
    ],
    [
      "a wrong secret",
      "cloud.credentials",
      /\(SignatureDoesNotMatch\)/,
      (asked) => refusal("SignatureDoesNotMatch", asked, 400),
    ],
    [
      "a token that has expired",
      "cloud.credentials",
      /\(InvalidSecurityToken\.Expired\)/,
      (asked) => refusal("InvalidSecurityToken.Expired", asked, 400),
    ],
    [
      "a wrong clock",
      "cloud.clock",
      /clock \(InvalidTimeStamp\.Expired\)/,
      (asked) => refusal("InvalidTimeStamp.Expired", asked, 400),
    ],
    [
      "no right to look",
      "cloud.permission",
      /lack the permission ecs:DescribeInstances for i-bp1one/,
      (asked) => refusal("Forbidden.RAM", asked),
    ],
    [
      "no right to stop",
      "cloud.permission",
      /lack the permission ecs:StopInstance for i-bp1one \(Forbidden\.RAM\).*allow ecs:DescribeInstances and ecs:StopInstance/,
      (asked) => (asked.action === "StopInstance" ? refusal("Forbidden.RAM", asked) : described(asked, "Running")),
    ],
    [
      "an instance of another region, or deleted",
      "fence.no-instance",
      /see no instance i-bp1one in cn-hangzhou: .*region or account, deleted/,
      (asked) => described(asked, "Stopped", { "i-bp1one": "" }),
    ],
    [
      "one that is deleted meanwhile",
      "fence.no-instance",
      /see no instance i-bp1one/,
      (asked) =>
        asked.action === "StopInstance"
          ? refusal("InvalidInstanceId.NotFound", asked, 404)
          : described(asked, "Stopped"),
    ],
    [
      "a region that does not exist",
      "fence.no-instance",
      /no region cn-hangzhou/,
      (asked) => refusal("InvalidRegionId.NotFound", asked, 404),
    ],
    [
      "anything else",
      "fence.refused",
      /\(OperationDenied, request 1C488B66-B819\)/,
      (asked) => (asked.action === "StopInstance" ? refusal("OperationDenied", asked) : described(asked, "Running")),
    ],
    [
      "a code that is none",
      "fence.refused",
      /\(HTTP 403, request/,
      (asked) => refusal(`${secrets.id}:${secrets.secret}`, asked),
    ],
  ])("%s", async (_, id, words, answer) => {
    const { inventory } = await cloud(answer);
    await expect(stopped(inventory)).rejects.toMatchObject(refused(id, words));
  });

  test("an instance that is not the node's, which is left alone", async () => {
    const { asked, inventory } = await cloud((asked) => described(asked, "Running", { "i-bp1one": "10.231.77.12" }));
    await expect(stopped(inventory)).rejects.toMatchObject(
      refused("fence.wrong-instance", /i-bp1one has the private address 10\.231\.77\.12, not node1's 10\.231\.77\.11/),
    );
    expect(asked.map(({ action }) => action)).toEqual(["DescribeInstances"]);
  });

  test("one that does not stop in time", async () => {
    const { inventory } = await cloud((asked) =>
      asked.action === "StopInstance" ? accepted : described(asked, "Stopping"),
    );
    await expect(stopped(inventory, { deadlineMs: 50 })).rejects.toMatchObject(
      refused("fence.not-stopped", /i-bp1one is Stopping/),
    );
  });

  test("`Stopped`, where nobody answers the stop", async () => {
    const { inventory } = await cloud((asked) =>
      asked.action === "StopInstance" ? "silence" : described(asked, "Stopped"),
    );
    await expect(stopped(inventory, { deadlineMs: 0, requestMs: 100 })).rejects.toMatchObject(
      refused("cloud.no-answer", /did not answer \w+ in time \(last: nothing in time\)/),
    );
  });

  test("throttling that does not end", async () => {
    const { inventory } = await cloud((asked) => refusal("Throttling.User", asked, 400));
    await expect(stopped(inventory, { deadlineMs: 50 })).rejects.toMatchObject(
      refused("cloud.no-answer", /last: Throttling\.User/),
    );
  });

  test("an API out of reach", async () => {
    const { inventory } = await cloud(() => "reset");
    closeCloud();
    await expect(stopped(inventory, { deadlineMs: 50 })).rejects.toMatchObject(
      refused("cloud.no-answer", /http:\/\/127\.0\.0\.1:\d+ did not answer .*ECONNREFUSED/),
    );
  });

  test("no credentials", async () => {
    for (const name of ["ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN"])
      vi.stubEnv(`ALIBABA_CLOUD_${name}`, "");
    vi.stubEnv("HOME", `${tmpdir()}/nobody`);
    vi.stubEnv("ALIBABA_CLOUD_CREDENTIALS_FILE", "");
    vi.stubEnv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
    vi.stubEnv("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:9/");
    const { asked, inventory } = await cloud(() => "reset");
    await expect(stopped(inventory)).rejects.toMatchObject(
      refused("cloud.credentials", /has no credentials.*aliyun configure/),
    );
    expect(asked).toEqual([]);
  });
});

describe("doctor tries the fence", () => {
  const dry = (asked: Asked) =>
    asked.action === "StopInstance" ? refusal("DryRunOperation", asked, 400) : described(asked, "Running");
  const check = async (inventory: Inventory) => {
    const found = await checkFence(inventory, pace);
    expect(JSON.stringify(found)).not.toMatch(new RegExp(Object.values(secrets).join("|")));
    return found;
  };

  test("without stopping anything, and says nothing of one that works", async () => {
    const { asked, inventory } = await cloud(dry);
    expect(await check(inventory)).toEqual([]);
    const stops = asked.filter(({ action }) => action === "StopInstance").map(({ query }) => query);
    expect(stops.map(({ InstanceId }) => InstanceId).sort()).toEqual(["i-bp1one", "i-bp1two"]);
    for (const query of stops) expect(query).toMatchObject({ DryRun: "true" });
  });

  test.each<[string, RegExp, (asked: Asked) => Answer]>([
    [
      "a missing permission",
      /could not switch node1 off: .*ecs:StopInstance for i-bp1one/,
      (asked) => (asked.query.InstanceId === "i-bp1one" ? refusal("Forbidden.RAM", asked) : dry(asked)),
    ],
    [
      "another machine",
      /could not switch node1 off: .*10\.0\.0\.9/,
      (asked) =>
        asked.action === "StopInstance" ? dry(asked) : described(asked, "Running", { "i-bp1one": "10.0.0.9" }),
    ],
    [
      "an API that knows no dry run",
      /may be stopping/,
      (asked) => (asked.query.InstanceId === "i-bp1one" ? accepted : dry(asked)),
    ],
  ])("and finds %s", async (_, sentence, answer) => {
    const { inventory } = await cloud(answer);
    expect(await check(inventory)).toEqual([
      {
        id: "fence.not-working",
        severity: "warning",
        node: "node1",
        sentence: expect.stringMatching(sentence),
        remedy: expect.stringMatching(/./),
      },
    ]);
  });

  test("and says how an instance that is off is started", async () => {
    const { inventory } = await cloud((asked) =>
      asked.query.InstanceIds?.includes("one") ? described(asked, "Stopped") : dry(asked),
    );
    expect(await check(inventory)).toMatchObject([
      { id: "fence.instance-off", severity: "notice", node: "node1", remedy: /StartInstance .*--InstanceId i-bp1one/ },
    ]);
  });

  test("not that of a node which is left alone, nor one that is none or a command", async () => {
    const { asked, inventory } = await cloud(dry);
    expect(await check({ ...inventory, absent: ["node1"] })).toEqual([]);
    expect(JSON.stringify(asked)).not.toContain("i-bp1one");
    expect(await check({ ...inventory, fence: { kind: "none" } })).toEqual([]);
    expect(await check({ ...inventory, fence: { kind: "command", command: "exit 1" } })).toEqual([]);
  });
});
