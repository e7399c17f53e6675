// `npm run bench`: how long things take, on a lab of its own, in one run; `-- --only times|moves` runs one part. Numbers are only
// worth something on an idle machine. REPEATS says how often.

import { mkdtempSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import spawn from "nano-spawn";
import { labTopology } from "../../components/model/lab.ts";
import { projectDirectory } from "../../scripts/paths.ts";
import { until } from "../../scripts/roll/wait.ts";
import { runProgram } from "../../scripts/run-program.ts";
import { UserError } from "../../scripts/user-error.ts";
import { median } from "../support/median.ts";
import { makeImage } from "../support/registry.ts";
import { LabStack, primaryOf, testStack, testSubnet } from "../support/stack.ts";
import { movesTable, timeMoves } from "./moves.ts";

const repeats = Number(process.env.REPEATS ?? 5);
const rows: { what: string; seconds: number[] }[] = [];

await runProgram(async () => {
  const { only } = parseArgs({ options: { only: { type: "string" } } }).values;
  if (only !== undefined && !["times", "moves"].includes(only))
    throw new UserError(`--only is "${only}"; the parts are times and moves`);
  await LabStack.remove();
  if (only !== "moves") await timeColdUp();
  const stack = await LabStack.fresh();
  const tables: string[] = [];
  try {
    await time("warm up (caches filled, no hosts yet)", 1, () => stack.ok("npm", "run", "-s", "lab"));
    if (only !== "moves") {
      await timeCommands(stack);
      await timeEndpoint(stack);
      tables.push(timesTable());
    }
    if (only !== "times") tables.push(movesTable(await timeMoves(stack, repeats)));
  } finally {
    await LabStack.remove();
  }
  const heading = `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores (${cpus()[0]?.model})`;
  console.log([`\n${heading}`, ...tables].join("\n\n"));
  return 0;
});

async function time(what: string, count: number, work: () => Promise<unknown>) {
  const seconds: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await work();
    seconds.push((performance.now() - started) / 1000);
  }
  record(what, seconds);
}

function record(what: string, seconds: number[]) {
  rows.push({ what, seconds });
  console.error(`${what}: ${seconds.map((value) => value.toFixed(2)).join(", ")} s`);
}

/** With nothing built, downloaded or compiled before; npm's packages are there. */
async function timeColdUp() {
  const empty = mkdtempSync("/var/tmp/harbor-ha-bench-");
  try {
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
}

async function timeCommands(stack: LabStack) {
  await time("npm run lab while the pair runs", 2, () => stack.ok("npm", "run", "-s", "lab"));
  await time("no-op up", repeats, () =>
    stack.ok("pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes", "--non-interactive"),
  );
  await time("preview", repeats, () => stack.ok("pulumi", "preview", "--expect-no-changes", "--non-interactive"));
  await time("status", repeats, () => stack.harborHa("status"));
}

async function timeEndpoint(stack: LabStack) {
  const image = makeImage([50_000]);
  const registry = await stack.registry();
  await registry.push("library/bench", "1", image);
  const seconds: number[] = [];
  for (let run = 1; run <= repeats; run++) {
    const seen = await stack.status();
    // The standby's node must be the one that is lost: without the primary nothing would be served.
    const standby = seen.nodes.find(({ host }) => host?.postgres.role === "standby")?.name ?? "";
    const primary = primaryOf(seen);
    await stack.onHost(primary, "systemctl stop keepalived");
    await stack.untilStatus("moved", ({ nodes }) =>
      nodes.some(
        ({ name, host }) => name === standby && host?.addresses.includes(labTopology.virtualAddress(testSubnet)),
      ),
    );
    await stack.onHost(primary, "systemctl start keepalived");
    await stack.ok("harbor-ha", "lab", "poweroff", standby);
    const lost = performance.now();
    await until("a pull", 60_000, () => quickPull(registry, image.digest));
    seconds.push((performance.now() - lost) / 1000);
    await stack.ok("harbor-ha", "lab", "poweron", standby);
    await stack.untilStatus("healthy", ({ healthy }) => healthy);
  }
  record("endpoint move (holder powered off → first pull that passes)", seconds);
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

function timesTable(): string {
  const noop = median(rows.find(({ what }) => what === "no-op up")?.seconds ?? [1]);
  const lines = rows.map(
    ({ what, seconds }) =>
      `| ${what} | ${seconds.length} | ${median(seconds).toFixed(2)} | ${Math.max(...seconds).toFixed(2)} | ${(median(seconds) / noop).toFixed(2)} |`,
  );
  return ["| what | runs | median s | worst s | × no-op up |", "|---|---|---|---|---|", ...lines].join("\n");
}
