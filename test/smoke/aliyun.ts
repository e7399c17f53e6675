// `npm run smoke:aliyun -- --region R --hostname H --installer-url U --installer-sha256 S --cap YUAN`: a whole pair in your account,
// tried as an operator would, and taken down again, whatever happens. It costs money: at most about the cap. `--tear-down STACK`
// takes down what a killed run has left.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { json } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import spawn from "nano-spawn";
import { z } from "zod";
import { CloudApi } from "../../scripts/aliyun/cloud-api.ts";
import { items, total } from "../../scripts/explain/items.ts";
import { aliyunSettings, optionsIn } from "../../scripts/init/aliyun.ts";
import { findStack, initStack } from "../../scripts/init/stack.ts";
import { projectDirectory } from "../../scripts/paths.ts";
import { runProgram } from "../../scripts/run-program.ts";
import { UserError } from "../../scripts/user-error.ts";
import { type PaidPair, smoke, tearDown } from "./smoke.ts";

const pace = { deadlineMs: 120_000, pauseMs: 2_000, requestMs: 10_000 };
const log = (line: string) => console.error(line);

await runProgram(async () => {
  const { values } = parseArgs({
    options: {
      region: { type: "string" },
      hostname: { type: "string" },
      administrator: { type: "string" },
      "installer-url": { type: "string" },
      "installer-sha256": { type: "string" },
      cap: { type: "string" },
      "tear-down": { type: "string" },
    },
  });
  const { region = "", hostname = "", administrator = "", cap = "", "tear-down": left } = values;
  const { "installer-url": url = "", "installer-sha256": sha256 = "" } = values;
  if (left && !region) throw new UserError("--tear-down needs the stack's --region", 2);
  if (left) return (await tearDown(pairOf(left, region, hostname), log)) ? 0 : 1;
  if (!region || !hostname || !administrator || !url || !sha256 || !(Number(cap) > 0))
    throw new UserError(
      "needs --region, --hostname, --administrator <your address>/32, --installer-url, --installer-sha256 and --cap <yuan>",
      2,
    );
  const stack = `smoke-${randomBytes(3).toString("hex")}`;
  const settings = await aliyunSettings(stack, { region, administrators: [administrator] }, log);
  const { monthly, without } = total(items(optionsIn(settings), { images: 1, traffic: 1 }));
  if (without.length > 0) throw new UserError(`no price is known for ${without.join(", ")}: no cap could be kept`, 2);
  const limits = { perHour: monthly / 720, cap: Number(cap) };
  log(
    `Stack ${stack}: about ${limits.perHour.toFixed(2)} yuan an hour. If this is killed: npm run smoke:aliyun -- --region ${region} --tear-down ${stack}`,
  );
  await initStack(
    process.env,
    stack,
    { hostname, installer: { url, sha256 }, aliyun: [...settings, ["aliyun.protect", "false"]] },
    log,
  );
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupted.abort());
  return (await smoke(pairOf(stack, region, hostname), limits, log, interrupted.signal)) ? 0 : 1;
});

function pairOf(stack: string, region: string, hostname: string): PaidPair {
  const run = async (program: string, args: string[], signal?: AbortSignal) => {
    log(`$ ${program} ${args.join(" ")}`);
    const env = { ...process.env, PULUMI_STACK: stack };
    const options = {
      cwd: projectDirectory,
      env,
      stdin: "ignore",
      stderr: "inherit",
      ...(signal ? { signal } : {}),
    } as const;
    return (await spawn(program, args, options)).stdout;
  };
  const pulumi = (...args: string[]) => run("pulumi", [...args, "--stack", stack, "--non-interactive"]);
  const harborHa = (signal: AbortSignal, ...args: string[]) => run("npx", ["harbor-ha", ...args], signal);
  const status = async (signal: AbortSignal) =>
    JSON.parse(await harborHa(signal, "status", "--json")) as { record?: { primary?: string } };
  return {
    async up(signal) {
      await run("pulumi", ["up", "--yes", "--stack", stack, "--non-interactive"], signal);
    },
    checks: [
      ["a second up changes nothing", async () => void (await pulumi("up", "--yes", "--expect-no-changes"))],
      ["doctor finds nothing broken", async (signal) => void (await harborHa(signal, "doctor"))],
      [
        "the balancer leads to Harbor",
        async (signal) => healthyAt((await pulumi("stack", "output", "loadBalancer")).trim(), hostname, signal),
      ],
      ["a switchover", async (signal) => void (await harborHa(signal, "switchover", "--yes"))],
      [
        "a failover by the cloud's own fence, and back",
        async (signal) => {
          const lost = (await status(signal)).record?.primary ?? "";
          const { fence } = JSON.parse(await pulumi("stack", "output", "inventory")) as {
            fence: { instances: Record<string, string> };
          };
          const InstanceId = fence.instances[lost] ?? "";
          const api = await CloudApi.open({ region }, pace, log);
          await api.call("StopInstance", { InstanceId, ForceStop: "true" }, z.object({}));
          // Refused as long as the primary still serves.
          await eventually(signal, () => harborHa(signal, "failover", "--yes"));
          await api.call("StartInstance", { InstanceId }, z.object({}));
          await eventually(signal, () => harborHa(signal, "rejoin", lost, "--yes"));
          await harborHa(signal, "status", "--wait", "600");
        },
      ],
      ["doctor finds nothing broken after it", async (signal) => void (await harborHa(signal, "doctor"))],
    ],
    async destroy() {
      if (!(await findStack(process.env, stack))) return;
      // An `up` that was ended by force leaves its lock.
      await pulumi("cancel", "--yes").catch(() => undefined);
      await pulumi("destroy", "--yes");
      await pulumi("stack", "rm", "--yes");
    },
    async remains() {
      // Beside Pulumi's own word: its stack is removed only when nothing is left in it. What is deleted is listed for a while.
      let left = await listed(region, stack);
      for (let look = 1; left.length > 0 && look < 12; look++) {
        await setTimeout(10_000);
        left = await listed(region, stack);
      }
      return left;
    },
  };
}

/** Instances and disks that bear the stack's tag: what costs most. */
async function listed(region: string, stack: string): Promise<string[]> {
  const api = await CloudApi.open({ region }, pace, log);
  const tag = { "Tag.1.Key": "harbor-ha", "Tag.1.Value": stack };
  const { Instances } = await api.call(
    "DescribeInstances",
    tag,
    z.object({ Instances: z.object({ Instance: z.array(z.object({ InstanceId: z.string() })) }) }),
  );
  const { Disks } = await api.call(
    "DescribeDisks",
    tag,
    z.object({ Disks: z.object({ Disk: z.array(z.object({ DiskId: z.string() })) }) }),
  );
  return [
    ...Instances.Instance.map(({ InstanceId }) => `instance ${InstanceId}`),
    ...Disks.Disk.map(({ DiskId }) => `disk ${DiskId}`),
  ];
}

/** Tries again until it succeeds, for ten minutes. */
async function eventually(signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  const end = AbortSignal.any([signal, AbortSignal.timeout(600_000)]);
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (end.aborted) throw error;
      await setTimeout(10_000, undefined, { signal: end }).catch(() => undefined);
    }
  }
}

/** Harbor's own health at the balancer's address, as a client asks for it after the CNAME is made. */
function healthyAt(host: string, hostname: string, signal: AbortSignal): Promise<void> {
  return eventually(signal, async () => {
    const asked = request({
      host,
      servername: hostname,
      headers: { Host: hostname },
      path: "/api/v2.0/health",
      rejectUnauthorized: false,
      timeout: 10_000,
    }).end();
    asked.on("timeout", () => asked.destroy(new Error(`${host} does not answer`)));
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    const { status } = (await json(answer)) as { status?: string };
    if (status !== "healthy") throw new Error(`Harbor at ${host} is ${status}`);
  });
}
