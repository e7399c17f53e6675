import type { HostFacts } from "../../../components/model/host-facts.ts";
import type { Belief, RecordEntry } from "../../../components/model/record.ts";
import { virtualAddressOf } from "../../../components/model/topology.ts";
import { decideBoot, decideRedisBoot } from "../../../scripts/agent/boot.ts";
import type { NodeObservation, Observation } from "../../../scripts/cluster/observe.ts";
import type { Refusal } from "../../../scripts/refusal.ts";
import type { Step } from "../../../scripts/roll/rule.ts";
import { decide } from "../../../scripts/roll/rules.ts";
import { sampleEntry, sampleInventory } from "../../support/sample.ts";

export const inventory = sampleInventory();
export const sha256 = inventory.harbor.installer.sha256;
export const [first, second] = ["node1", "node2"] as const;
export type NodeName = typeof first | typeof second;
export const names = [first, second] as const;
export const other = (name: NodeName): NodeName => (name === first ? second : first);
const addressOf = (name: NodeName) => inventory.topology.nodes.find((node) => node.name === name)?.address ?? "";

export const units = {
  postgres: "postgresql@17-main.service",
  redis: "redis-server.service",
  harbor: "harbor-ha-harbor.service",
  docker: "docker.service",
};

export type PostgresState = Pick<HostFacts["postgres"], "data" | "standbySignal" | "role"> & { firstToken?: string };

/** An entry of the record of this model's database. */
export const entry = (primary: NodeName, changes: Partial<RecordEntry> = {}): RecordEntry =>
  sampleEntry({ primary, sync: [other(primary)], systemIdentifier: "1", timeline: 1, ...changes });

/** One node as it could be found. */
export interface NodeState {
  postgres: PostgresState;
  /** Settings that wait for a restart; whether they are lowered limits. */
  pendingRestart: string[];
  lowered: boolean;
  redis: { configured: "" | "master" | "replica"; up: boolean };
  harbor: { installed: string; received: boolean; unit: string; answers: boolean; scheduled?: boolean };
  marks: string[];
  down: string[];
  storage: HostFacts["storage"];
  endpoint: boolean;
}

/** A pair in good health, node1 the primary; or a node of it with changes. */
export function healthy(name: NodeName, changes: Partial<NodeState> = {}): NodeState {
  const primary = name === first;
  return {
    postgres: { data: "present", standbySignal: !primary, role: primary ? "primary" : "standby" },
    pendingRestart: [],
    lowered: false,
    redis: { configured: primary ? "master" : "replica", up: true },
    harbor: { installed: sha256, received: true, unit: "active", answers: true },
    marks: [],
    down: [],
    storage: { ok: true, id: "the storage", reason: "" },
    endpoint: primary,
    ...changes,
  };
}

/** Two hosts as they are before the first `roll`. */
export const fresh = (changes: Partial<NodeState> = {}): NodeState => ({
  postgres: { data: "empty", standbySignal: false, role: "down" },
  pendingRestart: [],
  lowered: false,
  redis: { configured: "", up: false },
  harbor: { installed: "", received: false, unit: "inactive", answers: false, scheduled: false },
  marks: [],
  down: ["docker", "pgbouncer"],
  storage: { ok: false, id: "", reason: "not claimed" },
  endpoint: false,
  ...changes,
});

/** Something that must never happen. */
export class Broken extends Error {}

function must(condition: boolean, sentence: string) {
  if (!condition) throw new Broken(sentence);
}

/** A small model of the pair, in which steps have their effect, and which refuses what no step may do. */
export class Pair {
  readonly nodes: Record<NodeName, NodeState>;
  readonly initialPrimary: NodeName;
  private streaming: boolean;
  record?: RecordEntry;
  readonly steps: Step[] = [];
  /** Ids of the rules that fired, refusals included. */
  readonly fired: string[] = [];

  /** `record`: by default it names the node whose data is a primary's, if there is one; `null`: there is none. */
  constructor(
    node1: NodeState,
    node2: NodeState,
    initialPrimary: NodeName = first,
    streaming = true,
    record?: RecordEntry | null,
  ) {
    this.nodes = structuredClone({ node1, node2 });
    const primaries = names.filter(
      (name) => this.nodes[name].postgres.data === "present" && !this.nodes[name].postgres.standbySignal,
    );
    this.record = record === undefined ? primaries[0] && entry(primaries[0]) : (record ?? undefined);
    this.initialPrimary = initialPrimary;
    this.streaming = streaming;
  }

  /** Rolls until nothing is left or a rule refuses, checking every step. */
  roll(): Refusal | undefined {
    const done = new Set<string>();
    for (let count = 0; count < 60; count++) {
      const decision = this.next(done);
      if (!decision) return undefined;
      this.fired.push(decision.rule.split(" ")[0] ?? "");
      if (decision.kind === "refusal") return decision;
      this.act(decision);
      done.add(decision.rule);
      this.steps.push(decision);
      const after = this.next(done);
      must(
        after?.sentence !== decision.sentence,
        `${decision.rule} fires again on ${decision.node} after its step was done`,
      );
    }
    throw new Broken(`no end after: ${this.steps.map(({ rule, node }) => `${rule} ${node}`).join(", ")}`);
  }

  private next(done: ReadonlySet<string>) {
    const topology = { ...inventory.topology, initialPrimary: this.initialPrimary };
    return decide({ ...inventory, topology }, this.observe(), done);
  }

  observe(): Observation {
    const primary = names.find((name) => this.nodes[name].postgres.role === "primary");
    const joined = primary && this.streaming && this.nodes[other(primary)].postgres.role === "standby";
    return Object.fromEntries(
      names.map((name): [string, NodeObservation] => {
        const { postgres, redis, harbor, marks, down, storage, ...node } = this.nodes[name];
        const belief: Belief = this.record ? { state: "good", newest: this.record } : { state: "none" };
        const identity = postgres.data === "present" ? { systemIdentifier: "1", timeline: 1 } : {};
        const boot = {
          self: name,
          belief,
          peer: { state: "answers", known: this.record } as const,
          data: { state: postgres.data, standbySignal: postgres.standbySignal, ...identity },
        };
        const configured = { "": "", master: "# master", replica: `replicaof ${addressOf(other(name))} 6379` }[
          redis.configured
        ];
        const unit = (unit: string) => (down.includes(unit) ? "inactive" : "active");
        const host: HostFacts = {
          hostname: name,
          units: {
            ...Object.fromEntries(
              ["docker", "harbor-ha-agent", "haproxy", "pgbouncer", "keepalived", "chrony"].map((name) => [
                name,
                unit(name),
              ]),
            ),
            "postgresql@17-main": postgres.role === "down" ? "inactive" : "active",
            "redis-server": redis.up ? "active" : "inactive",
            "harbor-ha-harbor": harbor.unit,
          },
          restartNeeded: marks,
          unreachable: {},
          maintenance: false,
          postgres: { firstToken: "", ...postgres, ...identity, boot: decideBoot(boot) },
          record: { belief, known: this.record },
          redis: {
            role: redis.up ? (redis.configured === "replica" ? "slave" : "master") : "down",
            configured,
            boot: decideRedisBoot(boot, configured),
          },
          harbor: {
            installed: harbor.installed,
            received: harbor.received ? [sha256] : [],
            scheduled: harbor.scheduled !== false,
            answers: harbor.answers,
            drained: false,
            standIn: true,
          },
          storage,
          addresses: [addressOf(name), ...(node.endpoint ? [virtualAddressOf(inventory.topology) ?? ""] : [])],
        };
        const running = postgres.role !== "down" && {
          timeline: 1,
          systemIdentifier: "1",
          synchronousStandbyNames: this.record?.sync.length ? `"${other(name)}"` : "",
          standbys:
            name === primary && joined
              ? [{ name: other(name), state: "streaming", syncState: "sync", lagBytes: 0 }]
              : [],
          slots: [],
          pendingRestart: node.pendingRestart,
          lowered: node.lowered,
        };
        return [
          name,
          {
            name,
            reach: "up",
            host,
            postgres: running || undefined,
            redis: redis.up
              ? { role: host.redis.role, linkUp: true, replicas: 0, usedMemory: 1, maxMemory: 2 }
              : undefined,
          },
        ];
      }),
    );
  }

  private act({ node: name, action }: Step) {
    const node = this.nodes[name as NodeName];
    switch (action.do) {
      case "script":
        return this.script(name as NodeName, action.program, action.args);
      case "deliver":
        node.harbor.received = true;
        return;
      case "record-proof":
        must(this.record === undefined, "a record that is in use is proven");
        return;
      case "claim": {
        must((this.record?.epoch ?? 0) === action.previous, "a claim builds on an entry that is not the newest");
        const claimed = { token: "token-of-this-claim", ...action.entry };
        this.record = { ...claimed, epoch: action.previous + 1, by: "roll", at: "2026-11-21T00:00:00Z" };
        return;
      }
      case "wait-synced":
        must(node.postgres.role === "primary" && this.streaming, "what cannot come is waited for");
        // The agent's doing.
        if (this.record)
          this.record = { ...this.record, epoch: this.record.epoch + 1, sync: [other(name as NodeName)] };
        return;
      case "wait-streaming":
        must(node.postgres.role === "primary", `${name} is waited for as a primary`);
        must(this.nodes[other(name as NodeName)].postgres.role === "standby", "a standby that is down is waited for");
        this.streaming = true;
        return;
      case "switchover": {
        const former = this.nodes[other(name as NodeName)];
        must(action.to === name, "the step's node is not the one that takes over");
        must(
          node.postgres.role === "standby" && former.postgres.role === "primary" && this.streaming,
          "a switchover of what is not in sync",
        );
        [node.postgres, former.postgres] = [former.postgres, node.postgres];
        [node.redis.configured, former.redis.configured] = ["master", "replica"];
        // It starts anew in it, with the settings of now.
        former.marks = former.marks.filter((mark) => mark !== units.postgres);
        former.pendingRestart = [];
        if (this.record)
          this.record = {
            ...this.record,
            epoch: this.record.epoch + 1,
            primary: name,
            sync: [other(name as NodeName)],
          };
        return;
      }
      case "restart-unit":
        node.marks = node.marks.filter((mark) => mark !== action.unit);
        if (action.unit !== units.docker) return;
        node.down = node.down.filter((unit) => unit !== "docker");
        if (node.harbor.unit === "inactive") return;
        this.pauseHarbor(name as NodeName);
        // Comes back by itself, a while later.
        node.harbor = { ...node.harbor, unit: "activating", answers: false };
        return;
      case "take-endpoint":
        for (const other of Object.values(this.nodes)) other.endpoint = other === node;
        return;
      case "start-unit":
        node.down = node.down.filter((unit) => `${unit}.service` !== action.unit);
        if (action.unit === units.harbor) node.harbor = { ...node.harbor, unit: "active", answers: true };
        return;
      case "harbor":
        must(this.nodes[name as NodeName].storage.ok, `Harbor on ${name} is touched without its storage`);
        this.pauseHarbor(name as NodeName);
        if (action.verb === "install") {
          must(node.harbor.received, `${name} has no installer`);
          node.harbor.installed = sha256;
        }
        must(node.harbor.installed === sha256, `Harbor on ${name} is restarted before it is installed`);
        node.harbor = { ...node.harbor, unit: "active", answers: true };
        node.marks = node.marks.filter((mark) => mark !== units.harbor);
        return;
      case "storage-proof":
        return;
      default:
        action satisfies never;
    }
  }

  private pauseHarbor(name: NodeName) {
    const lastOne = this.nodes[name].harbor.answers && !this.nodes[other(name)].harbor.answers;
    must(!lastOne, `Harbor on ${name} goes down while nobody else serves`);
  }

  private script(name: NodeName, program: string, args: string[]) {
    const node = this.nodes[name];
    const peer = this.nodes[other(name)];
    const noOtherPrimary = () => must(peer.postgres.role !== "primary", `${name} becomes a second primary`);
    switch ([program, args[0]].join(" ")) {
      case "harbor.sh schedule":
        must(node.harbor.answers, "a Harbor that does not answer is asked");
        node.harbor.scheduled = true;
        return;
      case "storage-guard.sh claim":
        node.storage = { ok: true, id: "the storage", reason: "" };
        return;
      case "postgres.sh initialise":
        for (const each of names)
          must(
            this.nodes[each].postgres.data === "empty" || this.nodes[each].postgres.firstToken === args[1],
            `${name} is initialised although ${each} holds data`,
          );
        must(
          this.record?.kind === "intent" && this.record.primary === name && this.record.token === args[1],
          `${name} is initialised without an intent that names it`,
        );
        noOtherPrimary();
        node.postgres = { data: "present", standbySignal: false, role: "primary", firstToken: args[1] };
        return;
      case "postgres.sh start":
        must(node.postgres.data === "present", `${name} starts without data`);
        if (!node.postgres.standbySignal) {
          noOtherPrimary();
          must(this.record?.primary === name, `${name} becomes a primary that the record does not name`);
        }
        node.postgres.role = node.postgres.standbySignal ? "standby" : "primary";
        this.streaming = false;
        return;
      case "postgres.sh prepare":
        must(node.postgres.role === "primary" && args[1] === other(name), "prepare runs on the primary, for its peer");
        return;
      case "postgres.sh clone":
        must(node.postgres.data === "empty" && node.postgres.role === "down", `${name} is cloned over its data`);
        must(peer.postgres.role === "primary" && args[1] === addressOf(other(name)), "a clone is one of the primary");
        node.postgres = { data: "present", standbySignal: true, role: "standby" };
        this.streaming = false;
        return;
      case "postgres.sh restart": {
        const waits = ({ marks, pendingRestart }: NodeState) =>
          marks.includes(units.postgres) || pendingRestart.length > 0;
        if (waits(node) && waits(peer)) {
          const lowered = [node, peer].some(({ postgres, lowered }) => postgres.role === "primary" && lowered);
          must(
            node.postgres.role === (lowered ? "primary" : "standby"),
            `${name} (${node.postgres.role}) restarts first with ${lowered ? "lowered" : "raised"} settings`,
          );
        }
        node.marks = node.marks.filter((mark) => mark !== units.postgres);
        Object.assign(node, { pendingRestart: [], lowered: false });
        this.streaming = false;
        return;
      }
      case "redis.sh role":
        must(node.redis.configured === "", `${name}'s Redis gets another role`);
        must(!args[1] || args[1] === addressOf(other(name)), "a replica follows the other node");
        must(args[1] !== undefined || peer.redis.configured !== "master", `${name} becomes a second Redis master`);
        node.redis.configured = args[1] ? "replica" : "master";
        return;
      case "redis.sh start":
        must(node.redis.configured !== "", `${name}'s Redis starts without a role`);
        node.redis.up = true;
        return;
      case "redis.sh restart":
        if (node.redis.configured === "master")
          must(!peer.marks.includes(units.redis), "the Redis master restarts before its replica");
        node.marks = node.marks.filter((mark) => mark !== units.redis);
        return;
      default:
        throw new Broken(`no such script: ${program} ${args.join(" ")}`);
    }
  }

  /** What is not as it should be after a `roll` that found nothing left to do. */
  unfinished(): string[] {
    const found: string[] = [];
    const roles = names.map((name) => this.nodes[name].postgres.role).sort();
    if (roles.join() !== "primary,standby") found.push(`PostgreSQL: ${roles}`);
    const redis = names.map((name) => (this.nodes[name].redis.up ? this.nodes[name].redis.configured : "down")).sort();
    if (redis.join() !== "master,replica") found.push(`Redis: ${redis}`);
    for (const name of names) {
      const { harbor, marks, down, pendingRestart } = this.nodes[name];
      if (!harbor.answers || harbor.installed !== sha256) found.push(`${name}: Harbor does not serve`);
      if (marks.length + pendingRestart.length > 0) found.push(`${name}: marks ${marks} ${pendingRestart}`);
      if (down.length > 0) found.push(`${name}: ${down} down`);
    }
    const primary = names.find((name) => this.nodes[name].postgres.role === "primary");
    if (this.record?.primary !== primary || !primary || this.record?.sync.join() !== other(primary))
      found.push(`the record says ${JSON.stringify(this.record)}`);
    if (!this.streaming) found.push("the standby does not stream");
    return found;
  }
}
