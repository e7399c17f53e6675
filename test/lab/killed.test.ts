import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { projectDirectory } from "../../scripts/paths.ts";
import { seeded } from "../support/random.ts";
import { LabStack } from "../support/stack.ts";

// `npm run lab` is killed (SIGKILL to everything it started) at 20 points and run again after each.
const seed = Number(process.env.SEED ?? 1);
const random = seeded(seed);

/** What the run says when it reaches a point, in order; each round starts from nothing and dies at several of them. */
const rounds = [
  ["(1/5)", "(2/5)", "(4/5)", "node1-bootstrap creating", "node1-system creating"],
  ["(2/5)", "(3/5)", "lab-hosts creat", "node2-postgres creating", "claim the shared storage on node2"],
  ["(5/5)", "node2-system creating", "node1-haproxy creating", "initialise the first", "copy the database"],
  [
    "node1-secrets creating",
    "roles, database",
    // Not the wait for synchronous commits: the agent may be through with that before anybody looks.
    "installer to node1",
    "install Harbor on node1",
    "install Harbor on node2",
  ],
];

afterAll(() => LabStack.remove());

for (const [index, points] of rounds.entries())
  test(`round ${index + 1} (seed ${seed}): killed at ${points.join("; ")}`, async () => {
    const stack = await LabStack.fresh();
    const reached: string[] = [];
    for (const point of points) {
      const delay = Math.floor(random() * 1500);
      if (await killAt(stack, point, delay)) reached.push(`${point} + ${delay} ms`);
    }
    console.error(`killed at: ${reached.join("; ")}`);
    await stack.ok("npm", "run", "-s", "lab");
    const { findings } = await stack.status();
    expect(findings).toEqual([]);
    await stack.ok("pulumi", "preview", "--expect-no-changes", "--non-interactive");
    // Every point was met: none had become unreachable by an earlier one's work.
    expect(reached).toHaveLength(points.length);
  });

/** Starts the lab and kills all its processes when it says something, a little later. What it started on the hosts lives on. */
function killAt(stack: LabStack, point: string, delay: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn("npm", ["run", "-s", "lab"], {
      cwd: projectDirectory,
      env: stack.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    let killed = false;
    const listen = (text: Buffer) => {
      said += text;
      if (killed || !said.includes(point)) return;
      killed = true;
      setTimeout(() => killTree(child.pid as number), delay);
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.on("error", reject);
    child.on("close", (code) =>
      killed || code === 0
        ? resolve(killed)
        : reject(new Error(`the lab failed by itself before "${point}":\n${said.slice(-5000)}`)),
    );
  });
}

/** Kills a process and everything below it: plugins and commands have process groups of their own. */
function killTree(root: number): void {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // The name in parentheses may hold anything; the parent is the second field after it.
        const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
        return [{ pid: Number(pid), parent: Number(fields[1]) }];
      } catch {
        return [];
      }
    });
  const tree = [root];
  for (const member of tree) tree.push(...parents.filter(({ parent }) => parent === member).map(({ pid }) => pid));
  // The lab's hosts are started by it, but are not part of it.
  for (const pid of tree.filter((pid) => !isLabHost(pid)))
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone already.
    }
}

function isLabHost(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, "utf8").includes("harbor-ha-lab");
  } catch {
    return true;
  }
}
