import { randomUUID } from "node:crypto";
import { hostPaths } from "../../components/model/paths.ts";
import { type Claim, type RecordEntry, settled } from "../../components/model/record.ts";
import { addressOf, type DataService, dataServices } from "../../components/model/topology.ts";
import type { Cluster, Observation } from "../cluster/observe.ts";
import { claimEntry, readHistory } from "../cluster/record.ts";
import { follows, roleOf } from "../cluster/roles.ts";
import type { Lease } from "../cluster/ssh.ts";
import type { Refusal } from "../refusal.ts";
import { until, untilSynchronous } from "../roll/wait.ts";
import { UserError } from "../user-error.ts";
import { fence } from "./fence.ts";
import { lead, untilWritten } from "./routes.ts";
import { decideMove, type Move, type MoveFacts } from "./rules.ts";

type Log = (line: string) => void;

/** A standby that was copied anew, or has much to catch up on, may take so long to hold everything. */
const synchronousMs = 300_000;

export interface MoveOptions {
  acceptLoss: boolean;
  fencedByHand: boolean;
}

/** The data services that run on the nodes, so that they have to be moved. */
const services = ({ inventory }: Cluster) => dataServices(inventory.topology);
const moves = (cluster: Cluster, service: DataService) => services(cluster).includes(service);

/** What may be done, from one observation. Reads only. */
export async function planMove(
  cluster: Cluster,
  wish: Pick<MoveFacts, "verb" | "to" | "acceptLoss">,
): Promise<{ decision: Move | Refusal; observation: Observation }> {
  const observation = await cluster.observe();
  const entries = (await readHistory(cluster, observation, 20))?.entries;
  return { decision: decideMove({ ...wish, inventory: cluster.inventory, observation, entries }), observation };
}

/**
 * Makes another node the primary. Killed at any step, the same command goes on: an intent that is open is taken over by a
 * new one, after which the steps of whoever began it are refused by the hosts.
 */
export async function move(cluster: Cluster, plan: Move, observation: Observation, options: MoveOptions, log: Log) {
  const steps = new Steps(log);
  const lives = (node: string) => observation[node]?.reach === "up";
  const former = observation[plan.from];
  const planned = !plan.goBack && former && roleOf(cluster.inventory.topology, former).runs === "primary";
  const leases = planned && moves(cluster, "postgres") ? await pause(cluster, plan, steps) : [];
  let stopped = false;
  try {
    const intent = await claimIntent(cluster, plan, steps);
    try {
      if (plan.goBack) await endWhereItBegan(cluster, plan, intent, steps);
      else
        stopped = await takeOver(
          cluster,
          plan,
          intent,
          { planned: planned === true, formerLives: lives(plan.from), ...options },
          steps,
          log,
        );
    } catch (error) {
      throw unfinished(error as Error, plan, intent);
    }
  } finally {
    await Promise.all(leases.map((lease) => lease.release()));
  }
  if (moves(cluster, "postgres"))
    await steps.take("Harbor writes again", () =>
      untilWritten(cluster, plan.goBack || stopped ? [plan.to, plan.from] : [plan.to], (line) => steps.say(line)),
    );
  if (planned) await followNewPrimary(cluster, plan, steps);
  // It was stopped, by us or by whoever began this move: what it holds alone, if anything, was never acknowledged.
  else if (stopped) await makeStandby(cluster, plan.from, plan.to, steps);
  return steps.said;
}

/** Everything that can be waited for happens before the first write of the record; then Harbor's statements wait too. */
async function pause(cluster: Cluster, { from, to, newest }: Move, steps: Steps): Promise<Lease[]> {
  const checkpoint = async (node: string) => {
    const command = "runuser -u postgres -- psql -XqAtc CHECKPOINT";
    // In a move that goes on, the former primary may be stopping already, at the word of whoever began it.
    await (settled(newest) ? cluster.host(node).must(command) : cluster.host(node).run(command));
  };
  await steps.take(`a checkpoint on both nodes, so that the one stops and the other is promoted quickly`, async () => {
    await checkpoint(from);
    // A standby's can only go as far as its primary's last one.
    await checkpoint(to);
  });
  return steps.take("Harbor's statements wait", async () => {
    const attempts = await Promise.allSettled(
      [...cluster.hosts.values()].map((host) => host.lease(`${hostPaths.programs}/pgbouncer.sh pause`, "paused")),
    );
    const leases = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
    const failed = attempts.find((attempt) => attempt.status === "rejected");
    if (!failed) return leases;
    await Promise.all(leases.map((lease) => lease.release()));
    const { message } = failed.reason as Error;
    const culprit = message.includes("transaction") ? `. ${await longestTransaction(cluster, from)}` : "";
    throw new UserError(`nothing was moved, and Harbor goes on: ${message}${culprit} [switchover.not-paused]`, 2);
  });
}

async function claimIntent(cluster: Cluster, { to, newest }: Move, steps: Steps): Promise<RecordEntry> {
  const { systemIdentifier } = newest;
  const claim: Claim = { kind: "intent", primary: to, sync: [], systemIdentifier, token: randomUUID() };
  return steps.take(`the record: ${to} is to be the primary`, async () => {
    await claimEntry(cluster, to, newest.epoch, claim);
    return { ...claim, epoch: newest.epoch + 1, by: "", at: "" };
  });
}

async function takeOver(
  cluster: Cluster,
  { from, to }: Move,
  { token, epoch, systemIdentifier }: RecordEntry,
  {
    planned,
    formerLives,
    fencedByHand,
    acceptLoss,
  }: MoveOptions & {
    planned: boolean;
    formerLives: boolean;
  },
  steps: Steps,
  log: Log,
): Promise<boolean> {
  // A service of its own: its clients wait for nothing else, and nothing waits for it but the end.
  const redis = planned && moves(cluster, "redis") ? handOverRedis(cluster, from, to, token) : undefined;
  redis?.catch(() => {});
  const stopped = formerLives
    ? await steps.take(`${from} stops being the primary`, () =>
        // A planned move ends here; a host that answers and cannot be stopped is fenced like a lost one.
        stopFormer(cluster, from, token, planned).catch(async (error: Error) => {
          if (planned) {
            await redis?.catch(() => {});
            throw error;
          }
          steps.say(`it could not be stopped: ${error.message}`);
          return undefined;
        }),
      )
    : undefined;
  if (!stopped)
    await steps.take(`${from} is proven to be off`, async () => {
      // Whoever has been overtaken must not switch off the primary of today.
      await cluster.host(to).must(`${hostPaths.programs}/own.sh ${token}`);
      if (fencedByHand && formerLives)
        throw new UserError(
          `${from} answers over SSH, so it is not off, whatever was said: switch it off, or leave the flag out [fence.answers]`,
          2,
        );
      await fence(cluster.inventory, from, fencedByHand, log);
    });
  // A clean stop sends everything; data that stopped otherwise ends where the standby's does, or was never acknowledged.
  const needed = stopped?.checkpoint && !acceptLoss ? [stopped.checkpoint] : [];
  const [timeline, switchLsn] = moves(cluster, "postgres")
    ? (
        await steps.take(
          `${to} is promoted${needed.length > 0 ? `: it holds everything up to ${from}'s last checkpoint` : ""}`,
          () => script(cluster, to, "postgres.sh", "promote", token, from, ...needed),
        )
      ).split("|")
    : [];
  if (moves(cluster, "redis"))
    await steps.take(
      `Redis on ${to} becomes the master`,
      () => redis ?? script(cluster, to, "redis.sh", "promote", token),
    );
  await steps.take(`the record: ${to} is the primary`, () =>
    claimEntry(cluster, to, epoch, {
      kind: "done",
      primary: to,
      sync: [],
      ...(timeline ? { timeline: Number(timeline) } : {}),
      ...(switchLsn ? { switchLsn } : {}),
      systemIdentifier,
      token,
    }),
  );
  const alive = stopped ? [to, from] : [to];
  await steps.take("the routes lead to it", () => lead(cluster, services(cluster), to, alive));
  return stopped !== undefined;
}

/** What a person has to know when a move ends in the middle. */
function unfinished(error: Error, { from, to, goBack }: Move, { epoch }: RecordEntry): Error {
  if (/was claimed by|has taken over/.test(error.message)) return error;
  const again = `the same command again with --to ${to}`;
  const back = goBack ? "" : `, or to go back: harbor-ha failover --to ${from}`;
  return new UserError(
    `${error.message}\nThe move is not finished: entry ${epoch} is open, and Harbor cannot write until it is settled → ${again}${back}`,
    error instanceof UserError ? error.exitCode : 1,
  );
}

/** Nothing was promoted, and the hosts refuse to from now on: the record names the former primary again. */
async function endWhereItBegan(
  cluster: Cluster,
  { from, to, before }: Move,
  intent: RecordEntry,
  steps: Steps,
): Promise<void> {
  if (moves(cluster, "postgres"))
    await steps.take(`${from} is still a standby, and stays one`, async () => {
      const recovery = await script(cluster, from, "postgres.sh", "is_standby");
      if (recovery !== "t")
        throw new UserError(`${from} was promoted meanwhile: finish the move with harbor-ha failover --to ${from}`, 2);
    });
  // Redis may have been handed over already; it belongs beside the database.
  if (moves(cluster, "redis"))
    await steps.take(`Redis on ${to} is the master, as before`, async () => {
      await script(cluster, to, "redis.sh", "promote", intent.token);
      await script(cluster, from, "redis.sh", "follow", addressOf(cluster.inventory.topology, to));
    });
  const { sync, timeline, switchLsn, systemIdentifier } = before;
  await steps.take(`the record: ${to} stays the primary`, () =>
    claimEntry(cluster, to, intent.epoch, {
      kind: "aborted",
      primary: to,
      sync,
      timeline,
      switchLsn,
      systemIdentifier,
      token: intent.token,
    }),
  );
  await steps.take("the routes lead to it", () => lead(cluster, services(cluster), to, [to, from]));
}

/** The former primary, stopped cleanly, goes on as the standby: it holds nothing that the new one has not. */
async function followNewPrimary(cluster: Cluster, { from, to }: Move, steps: Steps): Promise<void> {
  const address = addressOf(cluster.inventory.topology, to);
  await steps.take(`${from} follows as standby`, async () => {
    if (moves(cluster, "postgres")) await script(cluster, from, "postgres.sh", "follow", address, from);
    if (moves(cluster, "redis")) await script(cluster, from, "redis.sh", "follow", address);
  });
}

/** Makes a former primary the standby: rewound where possible, else copied anew. */
export async function rejoin(cluster: Cluster, node: string, primary: string, log: Log): Promise<string[]> {
  const steps = new Steps(log);
  await makeStandby(cluster, node, primary, steps);
  return steps.said;
}

async function makeStandby(cluster: Cluster, node: string, primary: string, steps: Steps): Promise<void> {
  const address = addressOf(cluster.inventory.topology, primary);
  if (moves(cluster, "postgres")) {
    await steps.take(`roles and the slot of ${node} on ${primary}`, () =>
      script(cluster, primary, "postgres.sh", "prepare", node),
    );
    const how = await steps.take(`${node}'s database becomes ${primary}'s standby`, () =>
      script(cluster, node, "postgres.sh", "rejoin", address, node),
    );
    const words: Record<string, string> = { copied: "it was copied anew", rewound: "it was rewound" };
    steps.say(words[how] ?? "it was its standby already, and follows");
  }
  if (moves(cluster, "redis"))
    await steps.take(`Redis on ${node} becomes the replica`, () =>
      script(cluster, node, "redis.sh", "follow", address),
    );
  await steps.take(`${node} holds everything that is acknowledged from now on`, () => untilFollowing(cluster));
  if (moves(cluster, "postgres"))
    await steps.take("its former data goes", () => script(cluster, node, "postgres.sh", "rejoined"));
}

/** Until the standby holds everything, as far as the service that leads can promise that. */
export async function untilFollowing(cluster: Cluster): Promise<void> {
  if (moves(cluster, "postgres")) return untilSynchronous(cluster, synchronousMs);
  const { topology } = cluster.inventory;
  await until("Redis on the standby follows its master", synchronousMs, async () => {
    const nodes = Object.values(await cluster.observe());
    return nodes.some((primary) => nodes.some((standby) => primary !== standby && follows(topology, primary, standby)));
  });
}

/** The replica becomes the master with everything there is. */
async function handOverRedis(cluster: Cluster, from: string, to: string, token: string): Promise<string> {
  const heir = addressOf(cluster.inventory.topology, to);
  // Not under the lock, which the database's stop holds meanwhile.
  await cluster.host(from).must(`${hostPaths.programs}/redis.sh hand_over ${token} ${heir}`);
  await lead(cluster, ["redis"], to, [to, from]);
  // So that it stays the master, and is it where the handover could only stop the other one.
  return script(cluster, to, "redis.sh", "promote", token);
}

/** `planned`: all ends cleanly, and Redis is handed over, not stopped. `checkpoint`: the last one, of a clean end. */
async function stopFormer(
  cluster: Cluster,
  node: string,
  token: string,
  planned: boolean,
): Promise<{ checkpoint?: string }> {
  const [text] = await Promise.all([
    moves(cluster, "postgres") ? script(cluster, node, "postgres.sh", "stop_former", token) : "",
    // Not under the lock, which the database's stop holds meanwhile.
    moves(cluster, "redis") && !planned
      ? cluster.host(node).must(`${hostPaths.programs}/redis.sh stop ${token}`)
      : undefined,
  ]);
  if (!moves(cluster, "postgres")) return {};
  const [state, checkpoint] = text.split("|");
  if (state === "shut down") return { checkpoint };
  if (planned) throw new UserError(`PostgreSQL on ${node} did not stop cleanly (${state})`, 2);
  return {};
}

async function longestTransaction(cluster: Cluster, node: string): Promise<string> {
  const sql =
    "SELECT format('%s has been running a transaction for %s s: %s', coalesce(nullif(application_name, ''), usename), extract(epoch FROM now() - xact_start)::int, left(query, 60)) FROM pg_stat_activity WHERE xact_start IS NOT NULL AND datname = 'registry' AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1";
  const { stdout } = await cluster.host(node).run(`runuser -u postgres -- psql -XqAt -f -`, { input: sql });
  return stdout.trim() || "It is not there any more: try again";
}

/** One program of the toolkit on a host, under its lock; what it printed last. */
const script = (cluster: Cluster, node: string, program: string, ...args: string[]) =>
  cluster.host(node).locked(program, args);

/** Says each step with the time since the beginning. */
class Steps {
  readonly said: string[] = [];
  private readonly began = performance.now();
  private readonly log: Log;
  constructor(log: Log) {
    this.log = log;
  }

  async take<T>(sentence: string, work: () => Promise<T>): Promise<T> {
    this.say(sentence);
    return work();
  }

  say(sentence: string) {
    this.said.push(sentence);
    this.log(`[${((performance.now() - this.began) / 1000).toFixed(1).padStart(6)} s] ${sentence}`);
  }
}
