import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import type { Inventory } from "../../../components/model/inventory.ts";
import { ports } from "../../../components/model/ports.ts";
import type { LabStack } from "../stack.ts";

/** One attempt to commit a row, by the clock that all hosts of the lab share, in milliseconds. */
export interface Attempt {
  node: string;
  route: "pooler" | "direct";
  writer: string;
  number: number;
  began: number;
  ended: number;
  /** Timeline that acknowledged it; absent: it was not acknowledged. */
  timeline?: number;
  error?: string;
}

/**
 * Writers on both nodes, through Harbor's own way to the database and directly into each node's server, that remember
 * what was acknowledged. A writer that dies with its node begins anew when the node is back.
 */
export class Writers {
  readonly attempts: Attempt[] = [];
  private readonly stack: LabStack;
  private readonly inventory: Inventory;
  private readonly children = new Set<ChildProcess>();
  private readonly loops: Promise<void>[] = [];
  private going = true;

  private constructor(stack: LabStack, inventory: Inventory) {
    this.stack = stack;
    this.inventory = inventory;
  }

  static async start(stack: LabStack): Promise<Writers> {
    const writers = new Writers(stack, await stack.output<Inventory>("inventory"));
    await writers.query(
      "CREATE TABLE IF NOT EXISTS acknowledged (writer text, number bigint, PRIMARY KEY (writer, number))",
    );
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, "host.ts")],
      bundle: true,
      write: false,
      platform: "node",
      format: "esm",
      external: ["pg-native"],
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire("/");' },
    });
    const program = outputFiles[0]?.text ?? "";
    for (const { name } of writers.inventory.topology.nodes)
      for (const route of ["pooler", "direct"] as const) writers.loops.push(writers.keepWriting(name, route, program));
    return writers;
  }

  acknowledged(): Attempt[] {
    return this.attempts.filter(({ timeline }) => timeline !== undefined);
  }

  /** Ends all writers. */
  async stop(): Promise<void> {
    this.going = false;
    for (const child of this.children) child.kill("SIGKILL");
    await Promise.all(this.loops);
  }

  /** Rows that were acknowledged and are not there; to be asked when the pair is well again. */
  async lost(): Promise<string[]> {
    const acknowledged = this.acknowledged();
    const there = new Set((await this.query("SELECT writer || ' ' || number FROM acknowledged")).split("\n"));
    return acknowledged.map(({ writer, number }) => `${writer} ${number}`).filter((row) => !there.has(row));
  }

  /** Pairs of commits that two nodes acknowledged directly while both claimed to be primary: there must be none. */
  twoPrimaries(): string[] {
    const direct = this.acknowledged().filter(({ route }) => route === "direct");
    const periods = this.inventory.topology.nodes.map(({ name }) => direct.filter(({ node }) => node === name));
    const [one = [], two = []] = periods;
    return one.flatMap((ours) =>
      two
        .filter((theirs) => ours.began <= theirs.ended && theirs.began <= ours.ended)
        .map((theirs) => `${ours.writer} ${ours.number} and ${theirs.writer} ${theirs.number}`),
    );
  }

  /** As Harbor asks, so that it does not matter which node is the primary, or by whose word. */
  private async query(sql: string): Promise<string> {
    const { code, stdout, stderr } = await this.stack.onHost(
      this.inventory.topology.nodes[0].name,
      `PGPASSFILE=/etc/harbor-ha/harbor.pgpass psql -XAtq -h 127.0.0.1 -p ${ports.pgbouncer} -U harbor -c "${sql}" registry`,
    );
    if (code !== 0) throw new Error(stderr);
    return stdout;
  }

  private async keepWriting(node: string, route: Attempt["route"], program: string): Promise<void> {
    for (let life = 1; this.going; life++) {
      await this.oneLife(node, route, `${node}-${route}-${Date.now()}-${life}`, program);
      if (this.going) await sleep(500);
    }
  }

  private oneLife(node: string, route: Attempt["route"], writer: string, program: string): Promise<void> {
    return new Promise((resolve) => {
      const access = this.inventory.access[node];
      if (!access?.identityFile) return resolve();
      const options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"];
      // A host without power says nothing: the connection must notice by itself.
      options.push("ConnectTimeout=2", "ServerAliveInterval=1", "ServerAliveCountMax=3");
      const child = spawn(
        "ssh",
        [
          ...options.flatMap((option) => ["-o", option]),
          ...["-i", access.identityFile, `${access.user}@${access.host}`],
          `cat > /run/${route}-writer.mjs && exec node /run/${route}-writer.mjs ${route} ${writer}`,
        ],
        { stdio: ["pipe", "pipe", "ignore"] },
      );
      this.children.add(child);
      child.stdin.on("error", () => {});
      child.stdin.end(program);
      createInterface({ input: child.stdout }).on("line", (line) => {
        try {
          this.attempts.push({ node, ...JSON.parse(line) });
        } catch {
          // The rest of a line that its node did not live to finish.
        }
      });
      child.on("error", () => {});
      child.on("close", () => {
        this.children.delete(child);
        resolve();
      });
    });
  }
}
