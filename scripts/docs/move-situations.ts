import type { HostFacts } from "../../components/model/host-facts.ts";
import type { Inventory } from "../../components/model/inventory.ts";
import type { RecordEntry } from "../../components/model/record.ts";
import { redisMaster } from "../../components/model/units.ts";
import type { NodeObservation } from "../cluster/observe.ts";
import type { MoveFacts } from "../failover/rules.ts";
import { type Choice, combinations } from "./combinations.ts";

// Every situation that the tables of moves can meet, for the documentation's examples and for the test that walks them all.
// node1 is the primary of the settled record: with the names exchanged everything is the same.

const names = ["node1", "node2"] as const;
type Name = (typeof names)[number];

const entry = (changes: Partial<RecordEntry>): RecordEntry => ({
  epoch: 5,
  kind: "synced",
  primary: "node1",
  sync: ["node2"],
  systemIdentifier: "7",
  timeline: 1,
  by: "ops@desk",
  at: "2026-01-31T10:00:00Z",
  token: "token-of-the-example",
  ...changes,
});
const synced = entry({});
const degraded = entry({ epoch: 6, kind: "degraded", sync: [] });
const intent = (primary: string, epoch: number) =>
  entry({ epoch, kind: "intent", primary, sync: [], timeline: undefined });

/** The record, newest entry first. Of a settled entry nothing counts but whom it names, and whether the standby is in sync. */
const records: Record<string, RecordEntry[] | undefined> = {
  synced: [synced],
  degraded: [degraded, synced],
  "a move is open": [intent("node2", 6), synced],
  "a way back is open": [intent("node1", 7), intent("node2", 6), synced],
  "a move with a loss is open": [intent("node2", 7), degraded, synced],
  "a way back from a move with a loss is open": [intent("node1", 8), intent("node2", 7), degraded, synced],
  unreadable: undefined,
  "not settled yet": [intent("node1", 1)],
};

const states = [
  "primary",
  "standby",
  "standby, cut off",
  "stopped primary",
  "stopped standby",
  "silent primary",
  "silent standby",
  "empty",
] as const;

/** One node as it may be found: away, or a state and what else may be odd about it. */
type NodeChoice =
  | { away: "unreachable" | "unknown" | "absent" }
  | { away?: undefined; state: (typeof states)[number]; maintenance: boolean; foreign: boolean; distrusts: boolean };

/** A usual node first. */
function nodeChoices(usual: "primary" | "standby"): NodeChoice[] {
  const flag = [false, true];
  const state = [usual, ...states.filter((state) => state !== usual)];
  const up = [...combinations({ maintenance: flag, foreign: flag, distrusts: flag, state })];
  return [...up.slice(0, 1), { away: "unreachable" }, { away: "unknown" }, { away: "absent" }, ...up.slice(1)];
}

/** What may be so, the usual first. `elsewhere`: servers of yours. */
export const moveDomains = {
  wish: [
    { verb: "failover", acceptLoss: false },
    { verb: "failover", acceptLoss: true },
    { verb: "switchover", acceptLoss: false },
  ],
  node1: nodeChoices("primary"),
  node2: nodeChoices("standby"),
  elsewhere: ["nothing", "database", "database and redis"],
  record: Object.keys(records),
  to: [undefined, "node1", "node2", "node3"],
} as const;

export type MoveChoice = Choice<typeof moveDomains>;

/** The facts of a choice; undefined: it says something about what is not there. */
export function moveSituation(choice: MoveChoice): MoveFacts | undefined {
  const { wish, to, elsewhere, node1, node2 } = choice;
  // Redis has no identity of its own, and answers or is down.
  for (const node of [node1, node2])
    if (elsewhere !== "nothing" && !node.away && (node.foreign || node.state.startsWith("silent"))) return undefined;
  const newest = records[choice.record]?.[0];
  const nodes = { node1: observed("node1", node1, newest), node2: observed("node2", node2, newest) };
  if (!node1.away && !node2.away) {
    link(nodes.node1, nodes.node2, node2.state);
    link(nodes.node2, nodes.node1, node1.state);
  }
  const absent = names.filter((name) => choice[name].away === "absent");
  return {
    ...wish,
    to,
    entries: records[choice.record],
    inventory: inventory(absent, elsewhere),
    observation: Object.fromEntries(names.flatMap((name) => (absent.includes(name) ? [] : [[name, nodes[name]]]))),
  };
}

/** As much of an inventory as a decision about moves reads. */
function inventory(absent: string[], elsewhere: string): Inventory {
  const nodes = names.map((name) => ({ name }));
  const server = (service: string) => (elsewhere.includes(service) ? { [service]: {} } : {});
  return { topology: { nodes, ...server("database"), ...server("redis") }, absent } as unknown as Inventory;
}

/** As much of an observation as a decision about moves reads. */
function observed(name: Name, choice: NodeChoice, newest?: RecordEntry): NodeObservation {
  if (choice.away) return { name, reach: choice.away };
  const { state, maintenance, foreign, distrusts } = choice;
  const runs = /^(primary|standby)/.exec(state)?.[0];
  const data = /primary|standby/.exec(state)?.[0];
  const host = {
    postgres: {
      role: runs ?? (state.startsWith("silent") ? "silent" : "down"),
      data: data ? "present" : "empty",
      standbySignal: data === "standby",
      systemIdentifier: data && (foreign ? "8" : "7"),
    },
    redis: {
      role: runs === "primary" ? "master" : runs ? "slave" : "down",
      configured: !data ? "" : data === "primary" ? redisMaster : "replicaof",
    },
    record: {
      belief: distrusts
        ? { state: "unreadable", reason: "it went back" }
        : newest
          ? { state: "good", newest }
          : { state: "none" },
    },
    maintenance,
  };
  return { name, reach: "up", host: host as unknown as HostFacts };
}

/** A standby that is not cut off follows a primary that runs. */
function link(primary: NodeObservation, standby: NodeObservation, state: string) {
  if (primary.host?.postgres.role !== "primary") return;
  const standbys = state === "standby" ? [{ name: standby.name, state: "streaming" }] : [];
  primary.postgres = { standbys } as unknown as NodeObservation["postgres"];
  standby.redis = { linkUp: state === "standby" } as NodeObservation["redis"];
}
