import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Inventory } from "../../components/model/inventory.ts";
import { virtualAddressOf } from "../../components/model/topology.ts";
import { Cluster } from "../../scripts/cluster/observe.ts";
import { type Summary, summarize } from "../../scripts/cluster/summary.ts";
import { down } from "../../scripts/lab/lab.ts";
import { projectDirectory, stackDirectory } from "../../scripts/paths.ts";
import { until } from "../../scripts/roll/wait.ts";
import { stackEnvironment } from "../../scripts/toolchain/environment.ts";
import { Registry } from "./registry.ts";

/** Apart from a person's own lab: another stack, another network. Two runs beside each other need two of each. */
export const testStack = process.env.HARBOR_HA_TEST_STACK ?? "test";
export const testSubnet = process.env.HARBOR_HA_TEST_SUBNET ?? "10.231.78.0/24";

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** The node whose PostgreSQL runs as primary; empty: none. */
export const primaryOf = ({ nodes }: Pick<Summary, "nodes">): string =>
  nodes.find(({ host }) => host?.postgres.role === "primary")?.name ?? "";

/** The lab under test, used as a person would: through `npm run lab`, `pulumi` and `harbor-ha`. */
export class LabStack {
  readonly env: NodeJS.ProcessEnv;
  private outputs?: Record<string, unknown>;

  private constructor(env: NodeJS.ProcessEnv) {
    this.env = env;
  }

  /** Removes what an earlier, possibly killed run left. */
  static async fresh(): Promise<LabStack> {
    await LabStack.remove();
    return LabStack.open();
  }

  static async open(): Promise<LabStack> {
    const env = { ...process.env, PULUMI_STACK: testStack, HARBOR_HA_LAB_SUBNET: testSubnet };
    return new LabStack({
      ...(await stackEnvironment(testStack, console.error)),
      ...env,
      PATH: (await stackEnvironment(testStack, console.error)).PATH,
    });
  }

  static async remove(): Promise<void> {
    await down(testStack, console.error);
    rmSync(stackDirectory(testStack), { recursive: true, force: true });
    rmSync(join(projectDirectory, `Pulumi.${testStack}.yaml`), { force: true });
  }

  start(program: string, ...args: string[]): ChildProcess {
    return spawn(program, args, { cwd: projectDirectory, env: this.env, stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Runs a program; what it prints is also shown, for a person who watches. */
  run(program: string, ...args: string[]): Promise<Result> {
    return new Promise((resolve, reject) => {
      const child = this.start(program, ...args);
      let stdout = "";
      let stderr = "";
      child.stdout?.on("data", (text) => (stdout += text));
      child.stderr?.on("data", (text) => (stderr += text));
      child.on("error", reject);
      child.on("close", (code) => {
        this.outputs = undefined;
        resolve({ code: code ?? 1, stdout, stderr });
      });
    });
  }

  async ok(program: string, ...args: string[]): Promise<Result> {
    const result = await this.run(program, ...args);
    if (result.code !== 0)
      throw new Error(`${program} ${args.join(" ")} ended with ${result.code}:\n${result.stdout}\n${result.stderr}`);
    return result;
  }

  harborHa(...args: string[]): Promise<Result> {
    return this.run("harbor-ha", ...args);
  }

  async output<T = string>(name: string): Promise<T> {
    this.outputs ??= JSON.parse((await this.ok("pulumi", "stack", "output", "--json", "--show-secrets")).stdout);
    return this.outputs?.[name] as T;
  }

  /** A client of the endpoint, or of one node's Harbor. */
  async registry(node?: string): Promise<Registry> {
    const inventory = await this.output<Inventory>("inventory");
    const address = inventory.topology.nodes.find(({ name }) => name === node)?.address;
    return new Registry({
      host: address ?? virtualAddressOf(inventory.topology) ?? inventory.topology.hostname,
      port: address ? 8443 : 443,
      ca: await this.output("caCertificate"),
      user: "admin",
      password: await this.output("initialAdminPassword"),
    });
  }

  async withCluster<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
    const cluster = new Cluster(await this.output<Inventory>("inventory"));
    try {
      return await work(cluster);
    } finally {
      cluster.close();
    }
  }

  status(): Promise<Summary> {
    return this.withCluster(async (cluster) => summarize(cluster.inventory, await cluster.observe()));
  }

  /** The node whose PostgreSQL runs as primary; empty: none. */
  async primary(): Promise<string> {
    return primaryOf(await this.status());
  }

  /** Runs a command on a host as root. */
  onHost(node: string, command: string): Promise<Result> {
    return this.withCluster(async (cluster) => {
      const { status, stdout, stderr } = await cluster.host(node).run(command);
      return { code: status, stdout, stderr };
    });
  }

  /** What no move of a role may change: Harbor's containers and its harbor.yml. */
  async harborOf(node: string): Promise<string> {
    const containers = "docker ps --no-trunc --format '{{.ID}} {{.Names}}' | sort";
    return (await this.onHost(node, `${containers}; sha256sum /opt/harbor/harbor.yml`)).stdout;
  }

  async untilStatus(what: string, wanted: (summary: Summary) => boolean, seconds = 90): Promise<Summary> {
    let last: Summary | undefined;
    const ask = async () => {
      last = await this.status();
      return wanted(last);
    };
    await until(what, seconds * 1000, ask).catch((error) => {
      throw new Error(`${error.message}; last:\n${last?.text}`);
    });
    return last as Summary;
  }
}
