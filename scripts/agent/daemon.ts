import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { AgentSettings } from "../../components/model/agent.ts";
import type { HostFacts } from "../../components/model/host-facts.ts";
import { hostPaths } from "../../components/model/paths.ts";
import { type Belief, type BootDecision, type RecordEntry, settled } from "../../components/model/record.ts";
import type { DataService } from "../../components/model/topology.ts";
import { postgresUnit, redisUnit } from "../../components/model/units.ts";
import { believe, objectionTo } from "../record/belief.ts";
import type { RecordClient, RecordRequest } from "../record/client.ts";
import { decideBoot, decideRedisBoot, type PeerAnswer } from "./boot.ts";
import { operationToken } from "./boot-facts.ts";
import { configuredRedisRole, readData } from "./data.ts";
import { collectFacts } from "./facts.ts";
import { sampleDisks } from "./growth.ts";
import { readKnown, writeKnown } from "./known.ts";
import { askPeer } from "./peer.ts";
import { PostgresSession, type ServerState } from "./postgres-session.ts";
import { type HarborAnswer, harborAnswers, leased, redisRole } from "./probes.ts";
import { decideRunning, type RunningAction, type StandbySeen } from "./running.ts";
import { openRecord } from "./settings.ts";
import { Watcher } from "./watcher.ts";

const execute = promisify(execFile);

const units: Record<DataService, string> = { postgres: postgresUnit, redis: redisUnit };

/** How often servers are looked at, and how often record and peer. */
const lookMs = 500;
const askMs = 1_000;
/** How often disks, certificate and what people should know are looked at. */
const watchMs = 2_000;
/** How often the use of disks is remembered. */
const sampleMs = 3_600_000;
/** A start that failed is tried again after this time. */
const retryMs = 5_000;

/** What the agent of one node knows and does. `run` never returns; `answer` is called by the role endpoints. */
export class Daemon {
  private readonly settings: AgentSettings;
  private readonly services: DataService[];
  private readonly record: RecordClient;
  private readonly watcher?: Watcher;
  private readonly postgres = new PostgresSession();

  private known?: RecordEntry;
  private belief: Belief = { state: "unreadable", reason: "it was not read yet" };
  private peer: PeerAnswer = { state: "silent" };
  /** Since when neither record nor peer is within reach; undefined while one of them is. */
  private isolatedSince?: number;
  /** Since when the newest entry names the other node. */
  private overtakenSince?: number;
  private met = false;

  private server: ServerState | "down" | "silent" = "down";
  private redis: "master" | "slave" | "down" = "down";
  /** A standby's last sign of life: what it said last, and when that changed. */
  private sign = { reply: "", at: performance.now() };
  private provenFrom?: bigint;
  private harbor?: HarborAnswer;
  private harborMisses = 3;
  private readonly underWay = new Set<string>();
  private readonly tried = new Map<string, number>();
  private readonly said = new Map<string, string>();

  constructor(settings: AgentSettings) {
    this.settings = settings;
    this.services = settings.services;
    this.record = openRecord(settings);
    this.known = readKnown();
    if (settings.notify) this.watcher = new Watcher(settings, settings.notify);
  }

  /** The answers of the role endpoints, from memory. */
  answer(path: string): { ok: boolean; text: string } | undefined {
    const role = (ok: boolean) => ({ ok, text: `${ok}\n` });
    switch (path) {
      case "/primary":
        return role(this.isPrimary());
      case "/redis":
        return role(this.redis === "master" && this.mayServeRedis());
      case "/endpoint":
        return role(!leased("drain") && this.harborMisses < 3);
      case "/record":
        return { ok: true, text: `${JSON.stringify({ known: this.known, primary: this.isPrimary() })}\n` };
      default:
        return undefined;
    }
  }

  async run(): Promise<never> {
    if (this.services.length > 0) void this.forever(askMs, () => this.askRecord());
    void this.forever(askMs, () => this.askPeer());
    void this.forever(lookMs, () => this.lookAtHarbor());
    void this.forever(sampleMs, sampleDisks);
    if (this.settings.notify) void this.forever(watchMs, () => this.watch());
    return this.forever(lookMs, () => this.look());
  }

  /** Reads record and servers at once instead of at their time. */
  async lookNow(): Promise<void> {
    await this.askRecord();
    await this.look();
  }

  /** For whoever is root on this host. */
  async askRecordFor(request: RecordRequest): Promise<unknown> {
    const answer = await this.record.ask(request);
    if (request.do === "claim") await this.lookNow();
    return answer;
  }

  /** Everything that operations decide by. */
  facts(): Promise<HostFacts> {
    // After a loss Harbor's ping waits for the Redis that is gone; who asks for facts decides about that very loss.
    return collectFacts(this.settings, { record: this.record, harbor: this.harbor });
  }

  /** Why an operation with this token may not go on, by the record as it is now. */
  async objection(token: string): Promise<string | undefined> {
    await this.askRecord();
    return objectionTo(token, this.belief);
  }

  private async watch(): Promise<void> {
    const { belief, peer } = this;
    const primary = this.isPrimary() || (peer.state === "answers" && peer.primary === true);
    const recorded = this.services.length > 0;
    // What is so for a moment is meant, and what stays is told afterwards.
    if (leased("maintenance")) return;
    await this.watcher?.look({
      // Only PostgreSQL's standby holds everything that is acknowledged.
      newest: this.services.includes("postgres") ? this.known : undefined,
      primary: primary || !recorded || this.known === undefined,
      recordUnreadable: recorded && belief.state === "unreadable" ? belief.reason : undefined,
    });
  }

  private isPrimary(): boolean {
    const runs = this.services.includes("postgres")
      ? typeof this.server === "object" && this.server.role === "primary"
      : this.redis === "master";
    return runs && this.mayServe();
  }

  /** Settled and ours, by the newest entry seen; an agent that has met nobody since its start vouches for nothing. */
  private mayServe(): boolean {
    // A pair from before the record serves until `roll` has adopted it.
    if (this.belief.state === "none") return true;
    const newest = this.newest();
    return this.met && newest !== undefined && settled(newest) && newest.primary === this.settings.self.name;
  }

  /** Redis is handed over by itself, and its clients wait for nothing else: under an intent whoever is the master serves. */
  private mayServeRedis(): boolean {
    if (this.belief.state === "none") return true;
    const newest = this.newest();
    return this.met && newest !== undefined && (!settled(newest) || newest.primary === this.settings.self.name);
  }

  private async askPeer(): Promise<void> {
    this.peer = await askPeer(this.settings.peer.address);
    this.meet();
  }

  private async askRecord(): Promise<void> {
    this.belief = believe(await this.record.read(), this.known);
    if (this.belief.state === "good" && this.belief.newest.epoch !== this.known?.epoch) this.learn(this.belief.newest);
    this.say(
      "record",
      this.belief.state === "unreadable" ? `the record: ${this.belief.reason}` : "the record is readable",
    );
    this.meet();
  }

  private meet(): void {
    const reached = this.belief.state !== "unreadable" || this.peer.state === "answers";
    this.met ||= reached;
    this.isolatedSince = reached ? undefined : (this.isolatedSince ?? performance.now());
  }

  private learn(entry: RecordEntry): void {
    writeKnown(entry);
    this.known = entry;
    this.provenFrom = undefined;
    console.error(
      `entry ${entry.epoch}: ${entry.kind}, primary ${entry.primary}, in sync: ${entry.sync.join() || "none"}`,
    );
  }

  private async look(): Promise<void> {
    const [server, redis] = await Promise.all([
      this.services.includes("postgres") ? this.postgres.state() : ("down" as const),
      this.services.includes("redis") ? redisRole() : ("down" as const),
    ]);
    // A standby can only give a sign of life to a server that is there.
    if (typeof this.server !== "object") this.sign.at = performance.now();
    this.server = server;
    this.redis = redis;
    await this.decide();
  }

  private async lookAtHarbor(): Promise<void> {
    // Its ping waits for Redis: one slow answer must not take a node out, let alone both at once.
    this.harbor = await harborAnswers();
    this.harborMisses = this.harbor === "no" ? this.harborMisses + 1 : 0;
  }

  private async decide(): Promise<void> {
    const { server, redis } = this;
    const { services } = this;
    const data = typeof server === "object" || !services.includes("postgres") ? undefined : await readData();
    const standby = this.standbySeen();
    if (!standby.streaming || !standby.synchronous) this.provenFrom = undefined;
    const newest = this.newest();
    const overtaken = newest !== undefined && newest.primary !== this.settings.self.name;
    this.overtakenSince = overtaken ? (this.overtakenSince ?? performance.now()) : undefined;
    const decision = decideRunning({
      self: this.settings.self.name,
      peerName: this.settings.peer.name,
      belief: this.belief,
      peer: this.peer,
      newest,
      overtakenMs: this.overtakenSince === undefined ? 0 : performance.now() - this.overtakenSince,
      isolatedMs: this.isolatedSince === undefined ? 0 : performance.now() - this.isolatedSince,
      writable:
        typeof server === "object"
          ? server.role === "primary"
          : server === "silent" && data?.state === "present" && !data.standbySignal,
      redisMaster: redis === "master",
      strict: this.settings.durability === "strict",
      degradeAfterMs: this.settings.degradeAfterSeconds * 1000,
      replication:
        typeof server === "object"
          ? { synchronousNames: server.synchronousNames, standby, provenFrom: this.provenFrom }
          : undefined,
    });
    if (decision) {
      // A claim that is on its way may say that commits wait: they must not stop waiting beside it.
      if (decision.action.do === "stop-waiting" && this.underWay.has("claim")) return;
      this.say("running", `${decision.sentence} [${decision.rule}]`);
      this.start(decision.action.do, () => this.act(decision.action));
      return;
    }
    this.said.delete("running");
    const facts = { self: this.settings.self.name, belief: this.belief, peer: this.peer, operation: operationToken() };
    if (server === "down" && data) this.boot(postgresUnit, decideBoot({ ...facts, data }));
    if (redis === "down" && services.includes("redis"))
      this.boot(redisUnit, decideRedisBoot(facts, configuredRedisRole()));
  }

  private async act(action: RunningAction): Promise<void> {
    switch (action.do) {
      case "stop":
        await Promise.all(this.services.map((service) => stop(units[service])));
        return;
      case "claim": {
        const { belief, server, settings } = this;
        if (belief.state !== "good" || typeof server !== "object") return;
        const { primary, timeline, systemIdentifier } = belief.newest;
        const token = crypto.randomUUID();
        const entry = { kind: action.kind, primary, sync: action.sync, timeline, systemIdentifier, token };
        // Whether it won, lost or got no answer, the next reading shows; nothing that follows from it is decided before.
        await this.record
          .claim(belief.newest.epoch, entry, `agent of ${settings.self.name}`)
          .finally(() => this.askRecord());
        return;
      }
      case "wait-for-standby":
        await this.postgres.setSynchronous(this.settings.peer.name);
        return;
      case "stop-waiting":
        await this.postgres.setSynchronous(undefined);
        return;
      case "prove-waiting":
        this.provenFrom = await this.postgres.proveWaiting();
        return;
      default:
        action satisfies never;
    }
  }

  private boot(unit: string, decision: BootDecision): void {
    if (decision.start === "no") {
      this.say(unit, `${unit} stays down: ${decision.sentence} → ${decision.remedy} [${decision.rule}]`);
      return;
    }
    if (leased("maintenance")) {
      this.say(unit, `${unit} is not started: somebody works on this node`);
      return;
    }
    if (performance.now() - (this.tried.get(unit) ?? -retryMs) < retryMs) return;
    this.start(`boot ${unit}`, async () => {
      // An operation or apply under way has its own plans for the unit.
      const held = await execute("flock", ["-n", "-E", "75", hostPaths.lock, "systemctl", "start", unit]).then(
        () => "started" as const,
        (error: { code?: number }) => (error.code === 75 ? ("held" as const) : ("failed" as const)),
      );
      if (held !== "held") this.tried.set(unit, performance.now());
      this.said.delete(unit);
      if (held !== "held")
        console.error(`${unit}: start as ${decision.start} ${held === "started" ? "done" : "failed"}`);
    });
  }

  private newest(): RecordEntry | undefined {
    const told = this.peer.state === "answers" ? this.peer.known : undefined;
    const { known } = this;
    const same = !known?.systemIdentifier || told?.systemIdentifier === known.systemIdentifier;
    return told && same && told.epoch > (known?.epoch ?? 0) ? told : known;
  }

  private standbySeen(): StandbySeen {
    const server = typeof this.server === "object" ? this.server : undefined;
    const standby = server?.standbys.find(({ name }) => name === this.settings.peer.name);
    if (standby && standby.lastReply !== this.sign.reply)
      this.sign = { reply: standby.lastReply, at: performance.now() };
    return {
      streaming: standby?.streaming === true,
      synchronous: standby?.synchronous === true,
      silentMs: performance.now() - this.sign.at,
      flushed: standby?.flushed,
    };
  }

  /** One run of each kind at a time, in the background: nothing here may hold up the role endpoints. */
  private start(kind: string, work: () => Promise<void>): void {
    if (this.underWay.has(kind)) return;
    this.underWay.add(kind);
    work()
      .catch((error) => console.error(`${kind}: ${error.message}`))
      .finally(() => this.underWay.delete(kind));
  }

  /** Into the journal when it changes. */
  private say(about: string, sentence: string): void {
    if (this.said.get(about) === sentence) return;
    this.said.set(about, sentence);
    console.error(sentence);
  }

  private async forever(pauseMs: number, work: () => Promise<void>): Promise<never> {
    for (;;) {
      await work().catch((error) => console.error(error));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** Stops a unit, by force if it does not end in time: what must not write must not wait either. */
async function stop(unit: string): Promise<void> {
  await execute("systemctl", ["stop", unit], { timeout: 10_000 }).catch(() =>
    execute("systemctl", ["kill", "--signal=SIGKILL", unit]),
  );
}
