import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readHostKey } from "../../../scripts/aliyun/host-key.ts";
import { type Answer, type Asked, cloud, refusal, secrets } from "../../support/ecs-cloud.ts";

const pace = { deadlineMs: 30_000, pauseMs: 1, requestMs: 5_000 };
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIhost";

beforeEach(() => {
  vi.stubEnv("ALIBABA_CLOUD_ACCESS_KEY_ID", secrets.id);
  vi.stubEnv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secrets.secret);
  vi.stubEnv("ALIBABA_CLOUD_SECURITY_TOKEN", secrets.token);
});
afterEach(() => vi.unstubAllEnvs());

async function read(answer: (asked: Asked, number: number) => Answer, changes: Partial<typeof pace> = {}) {
  const { asked, inventory } = await cloud(answer);
  const { fence } = inventory;
  if (fence.kind !== "aliyun") throw new Error("no cloud");
  const said: string[] = [];
  const { region, endpoint } = fence;
  const target = { region, endpoint, instance: "i-bp1one" };
  const found = await readHostKey(target, (line) => said.push(line), { ...pace, ...changes });
  return { found, asked, said };
}

const begun: Answer = [200, { RequestId: "R", CommandId: "c-1", InvokeId: "t-1" }];
const result = (InvokeRecordStatus: string, Output = "", ExitCode = 0): Answer => [
  200,
  { Invocation: { InvocationResults: { InvocationResult: [{ InvokeRecordStatus, ExitCode, Output }] } } },
];
const isRun = ({ action }: Asked) => action === "RunCommand";

test("a running instance tells its own key, as the account's owner would read it", async () => {
  const { found, asked } = await read((asked) => (isRun(asked) ? begun : result("Finished", `${key} root@node1\n`)));
  expect(found).toBe(key);
  expect(asked[0]).toMatchObject({
    action: "RunCommand",
    query: { RegionId: "cn-hangzhou", "InstanceId.1": "i-bp1one", Type: "RunShellScript", ContentEncoding: "Base64" },
  });
  expect(Buffer.from(asked[0]?.query.CommandContent ?? "", "base64").toString()).toBe(
    "cat /etc/ssh/ssh_host_ed25519_key.pub",
  );
  expect(asked[1]).toMatchObject({ action: "DescribeInvocationResults", query: { InvokeId: "t-1" } });
});

describe("one that is not there yet is waited for", () => {
  test.each<[string, (asked: Asked, number: number) => Answer]>([
    [
      "it still boots",
      (asked, number) =>
        number <= 3
          ? refusal("InvalidInstance.NotRunning", asked)
          : isRun(asked)
            ? begun
            : result("Finished", `${key}\n`),
    ],
    [
      "its Cloud Assistant has not reported",
      (asked, number) =>
        number <= 2 ? refusal("ClientNotOnline", asked) : isRun(asked) ? begun : result("Finished", `${key}\n`),
    ],
    [
      "the command runs",
      (asked, number) => (isRun(asked) ? begun : number < 5 ? result("Running") : result("Finished", key)),
    ],
    [
      "there is no key yet",
      (asked, number) =>
        isRun(asked) ? begun : number < 4 ? result("Failed", "No such file", 1) : result("Finished", key),
    ],
    [
      "the API is throttled",
      (asked, number) =>
        number < 3 ? refusal("Throttling", asked, 503) : isRun(asked) ? begun : result("Finished", key),
    ],
  ])("%s", async (_, answer) => {
    expect((await read(answer)).found).toBe(key);
  });
});

describe("what cannot be waited for is said, with the next thing to try", () => {
  test("no permission", async () => {
    await expect(read((asked) => refusal("Forbidden.RAM", asked))).rejects.toMatchObject({
      id: "cloud.permission",
      remedy: expect.stringContaining("ecs:RunCommand"),
    });
  });

  test("anything else", async () => {
    await expect(read((asked) => refusal("InvalidInstance.NotFound", asked, 404))).rejects.toMatchObject({
      id: "host-key.refused",
      message: expect.stringContaining("InvalidInstance.NotFound"),
    });
  });

  test("an instance that never answers", async () => {
    await expect(
      read((asked) => refusal("InvalidInstance.NotRunning", asked), { deadlineMs: 50 }),
    ).rejects.toMatchObject({ id: "host-key.no-answer", remedy: expect.stringContaining("ECS console") });
  });
});
