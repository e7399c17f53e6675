import type { RecordEntry } from "../../../components/model/record.ts";
import { decideBoot, type PeerAnswer } from "../../../scripts/agent/boot.ts";
import { decideRunning, quoted } from "../../../scripts/agent/running.ts";
import type { NodeObservation, Observation } from "../../../scripts/cluster/observe.ts";
import { decideMove } from "../../../scripts/failover/rules.ts";
import { objectionTo } from "../../../scripts/record/belief.ts";
import { inventory } from "../roll/pair.ts";

// The protocol of a move as a state machine: record, two nodes with their agents, operators who are slow or die, power cuts
// and lost networks. Every decision is taken by the product's own tables; what a guard does when it is removed can be tried.

export type Name = "node1" | "node2";
export const names: Name[] = ["node1", "node2"];
const other = (name: Name): Name => (name === "node1" ? "node2" : "node1");

interface Node {
  power: boolean;
  pg: "up" | "down";
  /** Whether the data is a standby's. */
  standby: boolean;
  timeline: number;
  /** Whether commits wait for the other node. */
  waits: boolean;
  /** Whether its agent knows a position from which on every commit has waited. */
  proven: boolean;
  /** Whether it holds acknowledged writes that the other one does not. */
  only: boolean;
  /** Epoch of the newest entry its agent has read. */
  seen: number;
  /** Whether its agent has claimed an entry since then. */
  claimed: boolean;
}

interface Operator {
  token: string;
  from: Name;
  to: Name;
  goBack: boolean;
  /** Whether the former primary could be reached when it planned. */
  reaches: boolean;
  builtOn: number;
  phase: "claim" | "stop" | "promote" | "settle" | "follow";
}

export interface State {
  record: RecordEntry[];
  nodes: Record<Name, Node>;
  operators: (Operator | undefined)[];
  /** Operators that may still begin, and power cuts that may still happen. */
  begins: number;
  cuts: number;
}

/** Guards, and a way back, that a test may take away to see what they are for. */
export type Guard =
  | "own-token"
  | "stop-before-promote"
  | "sync-before-promote"
  | "record-before-release"
  | "read-before-release"
  | "claim-once"
  | "rejoin";

const entry = (
  epoch: number,
  kind: RecordEntry["kind"],
  primary: Name,
  sync: Name[],
  more: Partial<RecordEntry> = {},
) => ({
  epoch,
  kind,
  primary,
  sync,
  timeline: 1,
  systemIdentifier: "1",
  by: "the model",
  at: "",
  token: "token-of-the-beginning",
  ...more,
});

const healthyNode = (standby: boolean): Node => ({
  power: true,
  pg: "up",
  standby,
  timeline: 1,
  waits: !standby,
  proven: !standby,
  only: false,
  seen: 1,
  claimed: false,
});

export const start = (begins: number, cuts: number): State => ({
  record: [entry(1, "synced", "node1", ["node2"])],
  nodes: { node1: healthyNode(false), node2: healthyNode(true) },
  operators: [undefined, undefined],
  begins,
  cuts,
});

/** Entries and operators are only ever replaced. */
const copy = (state: State): State => ({
  ...state,
  record: [...state.record],
  nodes: { node1: { ...state.nodes.node1 }, node2: { ...state.nodes.node2 } },
  operators: [...state.operators],
});

const newest = (state: State) => state.record.at(-1) as RecordEntry;
const runs = (node: Node) => node.power && node.pg === "up";
export const isPrimary = (node: Node) => runs(node) && !node.standby;
const streams = (state: State, from: Name) => {
  const [primary, standby] = [state.nodes[from], state.nodes[other(from)]];
  return isPrimary(primary) && runs(standby) && standby.standby && standby.timeline <= primary.timeline;
};
/** Whether a commit on this node would be acknowledged. */
const acknowledges = (state: State, name: Name) =>
  isPrimary(state.nodes[name]) && (!state.nodes[name].waits || streams(state, name));

export interface Step {
  what: string;
  next: State;
  /** An acknowledged write that is gone for ever with this step. */
  loses?: boolean;
}

/** Everything that may happen next. */
export function steps(state: State, without?: Guard): Step[] {
  const found: Step[] = [];
  const add = (what: string, change: (next: State) => boolean | undefined) => {
    const next = copy(state);
    found.push({ what, next, loses: change(next) });
  };
  for (const name of names) {
    const node = state.nodes[name];
    if (acknowledges(state, name) && !streams(state, name) && !node.only)
      add(`${name} acknowledges a write`, (next) => {
        next.nodes[name].only = true;
        return undefined;
      });
    if (streams(state, name) && (node.only || state.nodes[other(name)].timeline < node.timeline))
      add(`${other(name)} catches up`, (next) => catchUp(next, name));
    if (node.power && state.cuts > 0)
      add(`${name} loses its power`, (next) => {
        next.cuts--;
        powerOff(next, name);
        return undefined;
      });
    if (!node.power)
      add(`${name} has power again`, (next) => {
        next.nodes[name].power = true;
        return undefined;
      });
    if (node.power && node.seen < newest(state).epoch)
      add(`${name}'s agent reads the record`, (next) => {
        Object.assign(next.nodes[name], { seen: newest(next).epoch, proven: false, claimed: false });
        return undefined;
      });
    found.push(...agentSteps(state, name, without));
  }
  state.operators.forEach((operator, index) => {
    if (operator) found.push(...operatorSteps(state, index, operator, without));
    else if (state.begins > 0) found.push(...beginnings(state, index, without));
  });
  if (without !== "rejoin") for (const name of names) found.push(...rejoins(state, name));
  return found;
}

function catchUp(next: State, from: Name): undefined {
  next.nodes[from].only = false;
  next.nodes[other(from)].timeline = next.nodes[from].timeline;
}

function powerOff(next: State, name: Name) {
  Object.assign(next.nodes[name], { power: false, pg: "down", proven: false, claimed: false });
}

function peerOf(state: State, name: Name): PeerAnswer {
  const peer = state.nodes[other(name)];
  return peer.power ? { state: "answers", known: state.record[peer.seen - 1], primary: false } : { state: "silent" };
}

/** What an agent does with what it has read; and what a start finds, which reads anew. */
function agentSteps(state: State, name: Name, without?: Guard): Step[] {
  const node = state.nodes[name];
  if (!node.power) return [];
  const step = (what: string, change: (next: State) => void): Step[] => {
    const next = copy(state);
    change(next);
    return [{ what: `${name}'s agent: ${what}`, next }];
  };
  if (node.pg === "down") {
    const belief = { state: "good", newest: newest(state) } as const;
    const data = {
      state: "present",
      standbySignal: node.standby,
      systemIdentifier: "1",
      timeline: node.timeline,
    } as const;
    const { start } = decideBoot({ self: name, belief, peer: peerOf(state, name), data });
    return start === "no"
      ? []
      : step(`start as ${start}`, (next) => {
          Object.assign(next.nodes[name], { pg: "up", seen: newest(next).epoch, claimed: false });
        });
  }
  const streaming = streams(state, name);
  const seen = state.record[node.seen - 1] as RecordEntry;
  const peer = peerOf(state, name);
  const told = peer.state === "answers" ? peer.known : undefined;
  const decision = decideRunning({
    self: name,
    peerName: other(name),
    belief: { state: "good", newest: seen },
    peer,
    newest: told && told.epoch > seen.epoch ? told : seen,
    // It acts at any time or not at all: an intent's grace is one of those.
    overtakenMs: Number.POSITIVE_INFINITY,
    isolatedMs: 0,
    writable: !node.standby,
    redisMaster: false,
    strict: false,
    degradeAfterMs: 1,
    replication: {
      synchronousNames: node.waits ? quoted(other(name)) : "",
      standby: {
        streaming,
        synchronous: streaming && node.waits,
        silentMs: streaming ? 0 : 1,
        flushed: node.only ? 0n : 1n,
      },
      provenFrom: node.proven ? 1n : undefined,
    },
  });
  if (!decision) return [];
  const { action, rule } = decision;
  // The agent reads the record after each claim, whatever came of it, and does neither of these before.
  if (node.claimed && (action.do === "claim" || (action.do === "stop-waiting" && without !== "read-before-release")))
    return [];
  switch (action.do) {
    case "stop":
      return step(rule, (next) => {
        next.nodes[name].pg = "down";
      });
    case "claim":
      if (seen.epoch !== newest(state).epoch && without !== "claim-once") return [];
      // With the guard away the server stops waiting before the record says so.
      if (without === "record-before-release" && action.kind === "degraded")
        return step("stops waiting", (next) => {
          next.nodes[name].waits = false;
        });
      return step(`${rule}, claimed`, (next) => {
        const token = `agent-of-${name}-at-${newest(next).epoch}`;
        next.record.push(
          entry(newest(next).epoch + 1, action.kind, name, action.sync as Name[], { timeline: node.timeline, token }),
        );
        next.nodes[name].claimed = true;
      });
    case "wait-for-standby":
      return step(rule, (next) => {
        next.nodes[name].waits = true;
        next.nodes[name].proven = false;
      });
    case "stop-waiting":
      return step(rule, (next) => {
        next.nodes[name].waits = false;
        next.nodes[name].proven = false;
      });
    case "prove-waiting":
      return step(rule, (next) => {
        next.nodes[name].proven = true;
      });
    default:
      throw new Error(`unknown ${JSON.stringify(action satisfies never)}`);
  }
}

/** The pair as an operator sees it, who may fail to reach a node that runs. */
function observe(state: State, unreachable?: Name): Observation {
  return Object.fromEntries(
    names.map((name): [string, NodeObservation] => {
      const node = state.nodes[name];
      if (!node.power || name === unreachable) return [name, { name, reach: "unreachable" }];
      const role = node.pg === "down" ? "down" : node.standby ? "standby" : "primary";
      const host = {
        postgres: {
          data: "present",
          standbySignal: node.standby,
          role,
          systemIdentifier: "1",
          timeline: node.timeline,
        },
        record: { belief: { state: "good", newest: newest(state) } },
      } as unknown as NodeObservation["host"];
      const standbys = streams(state, name)
        ? [{ name: other(name), state: "streaming", syncState: "sync", lagBytes: 0 }]
        : [];
      return [name, { name, reach: "up", host, postgres: { standbys } as unknown as NodeObservation["postgres"] }];
    }),
  );
}

const latestFirst = (state: State, without?: Guard) =>
  [...state.record]
    .reverse()
    // With the guard away the standby is believed to hold everything, whatever the record says.
    .map((found) => (without === "sync-before-promote" ? { ...found, sync: [...names] } : found));

function beginnings(state: State, index: number, without?: Guard): Step[] {
  const found: Step[] = [];
  for (const verb of ["switchover", "failover"] as const)
    for (const to of names)
      for (const unreachable of [undefined, other(to)]) {
        if (unreachable && !state.nodes[unreachable].power) continue;
        const observation = observe(state, unreachable);
        const plan = decideMove({
          verb,
          to,
          inventory,
          observation,
          entries: latestFirst(state, without),
          acceptLoss: false,
        });
        if (plan.kind === "refusal") continue;
        const next = copy(state);
        next.begins--;
        next.operators[index] = {
          token: `operator-${state.begins}-on-entry-${plan.newest.epoch}`,
          from: plan.from as Name,
          to: plan.to as Name,
          goBack: plan.goBack,
          reaches: observation[plan.from]?.reach === "up",
          builtOn: plan.newest.epoch,
          phase: "claim",
        };
        found.push({
          what: `an operator begins: ${verb} to ${to}${unreachable ? `, not reaching ${unreachable}` : ""}`,
          next,
        });
      }
  return found;
}

function operatorSteps(state: State, index: number, operator: Operator, without?: Guard): Step[] {
  const { token, from, to, goBack, phase } = operator;
  const next = copy(state);
  const step = (what: string, to_: Operator["phase"] | undefined, loses?: boolean): Step[] => {
    next.operators[index] = to_ && { ...operator, phase: to_ };
    return [{ what: `the operator to ${to}: ${what}`, next, loses }];
  };
  const gives = (why: string) => step(`gives up, ${why}`, undefined);
  const owns = () =>
    without === "own-token" || objectionTo(token, { state: "good", newest: newest(state) }) === undefined;
  const free = (previous: number) => newest(state).epoch === previous || without === "claim-once";
  switch (phase) {
    case "claim":
      if (!free(operator.builtOn)) return gives("somebody was first");
      next.record.push(entry(newest(next).epoch + 1, "intent", to, [], { timeline: undefined, token }));
      if (goBack) return step("claims the way back", "settle");
      return step("claims the intent", without === "stop-before-promote" ? "promote" : "stop");
    case "stop":
      if (!owns()) return gives("overtaken");
      if (operator.reaches && state.nodes[from].power) {
        next.nodes[from].pg = "down";
        return step(`stops ${from}`, "promote");
      }
      powerOff(next, from);
      return step(`fences ${from}`, "promote");
    case "promote": {
      const node = next.nodes[to];
      if (!node.power) return gives("the host is gone");
      if (!owns()) return gives("overtaken");
      if (!node.standby) {
        node.pg = "up";
        return step("finds it promoted", "settle");
      }
      // A clean stop has sent everything that the standby was connected for.
      Object.assign(node, { pg: "up", standby: false, timeline: node.timeline + 1, waits: false, proven: false });
      return step(`promotes ${to}`, "settle", state.nodes[from].only);
    }
    case "settle": {
      const intent = state.record.find((found) => found.token === token && found.kind === "intent") as RecordEntry;
      if (!free(intent.epoch)) return gives("somebody was first");
      if (goBack) {
        const before = [...state.record].reverse().find(({ kind }) => kind !== "intent") as RecordEntry;
        const promised = state.nodes[from];
        if (!promised.power || promised.pg === "down") return gives("it cannot be asked");
        if (!promised.standby) return gives("it was promoted meanwhile");
        next.record.push({ ...before, epoch: newest(state).epoch + 1, kind: "aborted", token });
        return step("ends it where it began", undefined);
      }
      next.record.push(entry(newest(state).epoch + 1, "done", to, [], { timeline: state.nodes[to].timeline, token }));
      return step("settles the record", operator.reaches ? "follow" : undefined);
    }
    case "follow":
      if (!state.nodes[from].power || state.nodes[from].pg === "up" || !isPrimary(state.nodes[to]))
        return gives("too late");
      becomeStandby(next, from);
      return step(`${from} follows`, undefined);
    default:
      throw new Error(phase satisfies never);
  }
}

/** `rejoin` works on a node whose data is a former primary's, beside the primary that the settled record names. */
function rejoins(state: State, name: Name): Step[] {
  const [node, primary] = [state.nodes[name], other(name)];
  const { kind, primary: named } = newest(state);
  if (!node.power || node.pg === "up" || node.standby || kind === "intent" || named !== primary) return [];
  if (!isPrimary(state.nodes[primary])) return [];
  const next = copy(state);
  becomeStandby(next, name);
  return [{ what: `${name} rejoins`, next, loses: node.only }];
}

function becomeStandby(next: State, name: Name) {
  const { timeline } = next.nodes[other(name)];
  Object.assign(next.nodes[name], { pg: "up", standby: true, timeline, waits: false, proven: false, only: false });
}

/** Both run, one as the primary that the settled record names, and commits wait for the other. */
export const isHealthy = (state: State) => {
  const { kind, primary, sync } = newest(state);
  return (
    kind !== "intent" &&
    sync.length > 0 &&
    isPrimary(state.nodes[primary as Name]) &&
    state.nodes[primary as Name].waits &&
    streams(state, primary as Name)
  );
};
