import { randomUUID } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { hostPaths } from "../../components/model/paths.ts";
import { quote } from "../../components/model/shell.ts";
import { virtualAddressOf } from "../../components/model/topology.ts";
import { journalled } from "../cluster/journal.ts";
import { underMaintenance } from "../cluster/maintenance.ts";
import { type Cluster, holdsEndpoint, type Observation } from "../cluster/observe.ts";
import { claimEntry, proveRecord } from "../cluster/record.ts";
import { streams } from "../cluster/roles.ts";
import { planWish } from "../operations/plan.ts";
import { refused } from "../refusal.ts";
import { UserError } from "../user-error.ts";
import { harborStep } from "./harbor.ts";
import type { Step } from "./rule.ts";
import { decide } from "./rules.ts";
import { until, untilSynchronous } from "./wait.ts";

type Log = (line: string) => void;

/** A lease that nobody renews has ended after this time. */
const leaseMs = 20_000;

/** More steps than any real run needs: a rule that does not reach its goal must not run for ever. */
const mostSteps = 60;

/**
 * Brings the pair to where the applied files say, one observed step at a time. Killed anywhere, the same command goes on.
 * `keepPrimary`: the primary stays where it is, for a switchover comes after this.
 * @returns the sentences of what was done.
 * @throws UserError with exit code 2 when a rule refuses, 3 when a host is unreachable.
 */
export async function roll(cluster: Cluster, log: Log, keepPrimary = false): Promise<string[]> {
  const done = new Set<string>(keepPrimary ? ["postgres.switchover"] : []);
  const said: string[] = [];
  const started = Date.now();
  for (let count = 0; count < mostSteps; count++) {
    const decision = decide(cluster.inventory, await cluster.observe(), done);
    if (!decision) return said;
    // A lease that its holder did not live to release ends by itself within seconds.
    if (decision.kind === "refusal" && decision.rule === "host.maintenance" && Date.now() - started < leaseMs) {
      await setTimeout(1_000);
      continue;
    }
    // The move that comes after this takes over what was left open.
    if (keepPrimary && decision.kind === "refusal" && decision.rule === "record.under-way") return said;
    if (decision.kind === "refusal") throw refused(decision);
    log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s] ${decision.sentence} [${decision.rule}]`);
    await act(cluster, decision, log);
    done.add(decision.rule);
    said.push(decision.sentence);
  }
  throw new UserError(`roll gave up after ${mostSteps} steps; the last was: ${said.at(-1)}`);
}

/** Says what would be done next, without doing it. */
export function plan(cluster: Cluster, observation: Observation): string {
  const decision = decide(cluster.inventory, observation, new Set());
  if (!decision) return "nothing to do";
  return decision.kind === "refusal" ? refused(decision).message : `${decision.sentence} [${decision.rule}]`;
}

async function act(cluster: Cluster, step: Step, log: Log): Promise<void> {
  const { action, node } = step;
  const host = cluster.host(node);
  switch (action.do) {
    case "script":
      // A restart takes its time, and the agents would tell people that nobody is primary.
      if (action.args[0] === "restart")
        await underMaintenance(cluster, [...cluster.hosts.keys()], () => host.locked(action.program, action.args));
      else await host.locked(action.program, action.args);
      return;
    case "switchover": {
      const plan = await planWish(cluster, { verb: "switchover", to: action.to });
      if (plan.kind === "refusal") throw refused(plan);
      await journalled(cluster, plan.reachable, { verb: "switchover", sentence: step.sentence }, () =>
        plan.carryOut(log),
      );
      return;
    }
    case "restart-unit":
      await command(
        cluster,
        node,
        `systemctl restart ${action.unit} && rm -f ${hostPaths.state}/restart-needed/${encodeURIComponent(action.unit)}`,
      );
      return;
    case "start-unit":
      await command(cluster, node, `systemctl start ${action.unit}`);
      return;
    case "take-endpoint":
      await takeEndpoint(cluster, node);
      return;
    case "storage-proof":
      await proveStorage(cluster);
      return;
    case "record-proof":
      await proveRecord(cluster);
      return;
    case "claim": {
      const { entry, previous } = action;
      await claimEntry(cluster, node, previous, { token: randomUUID(), ...entry });
      return;
    }
    case "wait-synced":
      await untilSynchronous(cluster, 120_000);
      return;
    case "wait-streaming":
      await until("the standby streams", 120_000, async () => {
        const nodes = Object.values(await cluster.observe());
        return nodes.some((primary) => nodes.some((standby) => streams(primary, standby)));
      });
      return;
    case "deliver":
      await deliver(cluster, node);
      return;
    case "harbor":
      await harborStep(cluster, node, action.verb, action.drain);
      return;
    default:
      action satisfies never;
  }
}

async function command(cluster: Cluster, node: string, text: string): Promise<void> {
  const { status, stderr } = await cluster
    .host(node)
    .run(`flock -w 600 ${hostPaths.lock} sh -c '${text}'`, { timeoutMs: 900_000 });
  if (status !== 0) throw new UserError(`${node}: \`${text}\` failed: ${stderr.trim()}`, status === 255 ? 3 : 1);
}

/** The other node's keepalived lets go of the address; the node takes it, and keeps it. */
export async function takeEndpoint(cluster: Cluster, node: string): Promise<void> {
  const { inventory } = cluster;
  const holder = Object.values(await cluster.observe()).find((seen) => holdsEndpoint(inventory, seen));
  if (holder && holder.name !== node) await command(cluster, holder.name, "systemctl restart keepalived.service");
  await until(`${node} holds ${virtualAddressOf(inventory.topology)}`, 60_000, async () => {
    const seen = (await cluster.observe())[node];
    return seen !== undefined && holdsEndpoint(inventory, seen);
  });
}

/** What each node writes the other reads: two different shares would lose images silently. */
async function proveStorage(cluster: Cluster): Promise<void> {
  for (const [writer, host] of cluster.hosts) {
    const nonce = randomUUID();
    await host.locked("storage-guard.sh", ["write", nonce]);
    for (const [reader, other] of cluster.hosts)
      if (reader !== writer) await other.locked("storage-guard.sh", ["read", nonce]);
  }
}

/** Copies the installer to a node, or lets the node fetch it; the node checks its sha256 either way. */
async function deliver(cluster: Cluster, node: string): Promise<void> {
  const { file, url, sha256 } = cluster.inventory.harbor.installer;
  if (file !== undefined && !existsSync(file))
    throw new UserError(`harbor.installer.file ${file} does not exist on this machine: give the right path, or a url`);
  const words = [`${hostPaths.programs}/harbor.sh`, "receive", sha256, ...(url ? [url] : [])];
  const input = file === undefined ? undefined : createReadStream(file);
  const { status, stderr } = await cluster.host(node).run(words.map(quote).join(" "), { input, timeoutMs: 3_600_000 });
  if (status !== 0) throw new UserError(`${node}: the installer was not received: ${stderr.trim()}`);
}
