// `npm run bench`: how long things take, on a lab of its own, in one run. Numbers are only worth something on an idle machine.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import spawn from "nano-spawn";
import { projectDirectory } from "../../scripts/paths.ts";
import { until } from "../../scripts/roll/wait.ts";
import { runProgram } from "../../scripts/run-program.ts";
import { makeImage } from "../support/registry.ts";
import { LabStack, testStack, testSubnet } from "../support/stack.ts";
import { Writers } from "../support/writers/writers.ts";

const repeats = Number(process.env.REPEATS ?? 5);
const moves: number[] = [];
const rows: { what: string; seconds: number[] }[] = [];

async function time(what: string, count: number, work: () => Promise<unknown>) {
  const seconds: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await work();
    seconds.push((performance.now() - started) / 1000);
  }
  rows.push({ what, seconds });
  console.error(`${what}: ${seconds.map((value) => value.toFixed(2)).join(", ")} s`);
}

await runProgram(async () => {
  await LabStack.remove();
  const empty = mkdtempSync("/var/tmp/harbor-ha-bench-");
  try {
    // Nothing built, downloaded or compiled before; npm's packages are there.
    const caches = {
      HARBOR_HA_CACHE_DIR: empty,
      GOCACHE: join(empty, "go-build"),
      GOMODCACHE: join(empty, "go-mod"),
      GOFLAGS: "-modcacherw",
    };
    await time("cold up (empty caches)", 1, () =>
      spawn("npm", ["run", "-s", "lab"], {
        cwd: projectDirectory,
        env: { ...caches, PULUMI_STACK: testStack, HARBOR_HA_LAB_SUBNET: testSubnet },
      }),
    );
  } finally {
    await LabStack.remove();
    rmSync(empty, { recursive: true, force: true });
  }
  const stack = await LabStack.fresh();
  try {
    await time("warm up (caches filled, no hosts yet)", 1, () => stack.ok("npm", "run", "-s", "lab"));
    await time("npm run lab while the pair runs", 2, () => stack.ok("npm", "run", "-s", "lab"));
    await time("no-op up", repeats, () =>
      stack.ok("pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes", "--non-interactive"),
    );
    await time("preview", repeats, () => stack.ok("pulumi", "preview", "--expect-no-changes", "--non-interactive"));
    await time("status", repeats, () => stack.harborHa("status"));
    const image = makeImage([50_000]);
    await (await stack.registry()).push("library/bench", "1", image);
    await time("endpoint move: address holder powered off → first pull", repeats, async () => {
      const { nodes } = await stack.status();
      // The standby's node must be the one that is lost: without the primary nothing would be served.
      const standby = nodes.find(({ host }) => host?.postgres.role === "standby")?.name ?? "";
      const primary = nodes.find(({ host }) => host?.postgres.role === "primary")?.name ?? "";
      await stack.onHost(primary, "systemctl stop keepalived");
      await stack.untilStatus(
        "moved",
        ({ nodes }) => nodes.find(({ name }) => name === standby)?.host?.addresses.includes("10.231.78.10") === true,
      );
      await stack.onHost(primary, "systemctl start keepalived");
      const registry = await stack.registry();
      await stack.ok("harbor-ha", "lab", "poweroff", standby);
      const lost = performance.now();
      await until("a pull", 60_000, () => quickPull(registry, image.digest));
      moves.push((performance.now() - lost) / 1000);
      await stack.ok("harbor-ha", "lab", "poweron", standby);
      await stack.untilStatus("healthy", ({ healthy }) => healthy);
    });
    rows.pop();
    rows.push({ what: "endpoint move (holder powered off → first pull that passes)", seconds: moves });
    await timeMoves(stack);
  } finally {
    await LabStack.remove();
  }
  const noop = median(rows.find(({ what }) => what === "no-op up")?.seconds ?? [1]);
  console.log(`\n${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores (${cpus()[0]?.model})\n`);
  console.log("| what | runs | median s | worst s | × no-op up |\n|---|---|---|---|---|");
  for (const { what, seconds } of rows)
    console.log(
      `| ${what} | ${seconds.length} | ${median(seconds).toFixed(2)} | ${Math.max(...seconds).toFixed(2)} | ${(median(seconds) / noop).toFixed(2)} |`,
    );
  return 0;
});

/** What a writer through Harbor's own way to the database sees of moves and losses. */
async function timeMoves(stack: LabStack) {
  const writers = await Writers.start(stack);
  const acknowledged = () =>
    writers
      .acknowledged()
      .filter(({ route }) => route === "pooler")
      .map(({ ended }) => ended)
      .sort((a, b) => a - b);
  const longestPause = (from: number) => {
    const since = acknowledged().filter((at) => at >= from - 1000);
    return Math.max(...since.slice(1).map((at, index) => at - (since[index] ?? at))) / 1000;
  };
  const writesGoOn = async () => {
    const count = acknowledged().length;
    await until("writes go on", 120_000, async () => acknowledged().length > count + 50);
  };
  const healthy = () => stack.untilStatus("healthy", ({ healthy }) => healthy, 180);
  const roleOf = async (role: string) =>
    (await stack.status()).nodes.find(({ host }) => host?.postgres.role === role)?.name ?? "";
  const record = (what: string, seconds: number[]) => {
    rows.push({ what, seconds });
    console.error(`${what}: ${seconds.map((value) => value.toFixed(2)).join(", ")} s`);
  };
  try {
    const switchovers: number[] = [];
    const losses: number[] = [];
    const failovers: number[] = [];
    for (let count = 0; count < repeats; count++) {
      await writesGoOn();
      let began = Date.now();
      await stack.ok("harbor-ha", "switchover", "--yes");
      await writesGoOn();
      switchovers.push(longestPause(began));
      await healthy();

      began = Date.now();
      const standby = await roleOf("standby");
      await stack.ok("harbor-ha", "lab", "poweroff", standby);
      await stack.untilStatus("degraded", ({ record }) => record?.kind === "degraded");
      await writesGoOn();
      losses.push(longestPause(began));
      await stack.ok("harbor-ha", "lab", "poweron", standby);
      await healthy();

      const lost = await roleOf("primary");
      await stack.ok("harbor-ha", "lab", "poweroff", lost);
      const commanded = Date.now();
      await stack.ok("harbor-ha", "failover", "--yes");
      await writesGoOn();
      failovers.push(((acknowledged().find((at) => at > commanded + 100) ?? 0) - commanded) / 1000);
      await stack.ok("harbor-ha", "lab", "poweron", lost);
      await stack.untilStatus("both answer", ({ nodes }) => nodes.every(({ host }) => host));
      await stack.ok("harbor-ha", "rejoin", "--yes");
      await healthy();
    }
    record("switchover: longest pause of a writer", switchovers);
    record("standby lost: longest pause of a writer (degradeAfter 5 s)", losses);
    record("failover: command → first acknowledged write", failovers);
    const lost = await writers.lost();
    if (lost.length > 0 || writers.twoPrimaries().length > 0) throw new Error(`writes were lost: ${lost.length}`);
    console.error(`${acknowledged().length} writes acknowledged, none lost`);
  } finally {
    await writers.stop();
  }
}

async function quickPull(
  registry: { pull: (repository: string, reference: string) => Promise<string> },
  digest: string,
) {
  // A pull that hangs on the lost node must not hide that the next one passes.
  const pull = registry.pull("library/bench", digest).then(
    () => true,
    () => false,
  );
  return Promise.race([pull, new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 500))]);
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
