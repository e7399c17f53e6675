import type { HostFacts } from "../../components/model/host-facts.ts";
import type { Inventory } from "../../components/model/inventory.ts";
import { type RecordEntry, recordEntry, settled } from "../../components/model/record.ts";
import { decideRunning, type RunningFacts } from "../agent/running.ts";
import type { NodeObservation } from "../cluster/observe.ts";
import { allowedMoves, decideMove } from "../failover/rules.ts";
import { adoptRecord } from "../record/adopt.ts";
import { firstDatabaseRules } from "../roll/rules/record.ts";
import { combinations } from "./combinations.ts";
import { moveDomains, moveSituation } from "./move-situations.ts";

type Kind = RecordEntry["kind"];

/** An entry that may follow another one, and the row of a table that decides it. */
export interface Succession {
  before: Kind | "none";
  after: Kind;
  rule: string;
}

const kinds = recordEntry.shape.kind.options;

/** Whom an entry may name in sync; going back leaves it as it was. */
const syncs: Record<Kind, string[][]> = {
  intent: [[]],
  done: [[]],
  degraded: [[]],
  restored: [[]],
  synced: [["node2"]],
  aborted: [[], ["node2"]],
};

/** Which entry may follow which where PostgreSQL runs on the nodes, found by asking the tables themselves. Pure. */
export function successions(): Succession[] {
  const found = [...first(), ...kinds.flatMap((kind) => [...byMoves(kind), ...byAgent(kind), ...byAdoption(kind)])];
  return [...new Map(found.map((one) => [JSON.stringify(one), one])).values()];
}

/** As Mermaid draws it. */
export function recordDiagram(): string {
  const arrows = new Map<string, string[]>();
  for (const { before, after, rule } of successions()) {
    const arrow = `${before === "none" ? "[*]" : before} --> ${after}`;
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), rule]);
  }
  const lines = [...arrows].map(([arrow, rules]) => `  ${arrow}: ${rules.sort().join(", ")}`);
  return `\`\`\`mermaid\nstateDiagram-v2\n${lines.join("\n")}\n\`\`\`\n`;
}

/** A move claims an intent, and settles it. */
function byMoves(kind: Kind): Succession[] {
  const { node1, node2 } = moveDomains;
  const few = {
    ...moveDomains,
    node1: node1.slice(0, 2),
    node2: node2.slice(0, 1),
    elsewhere: ["nothing"] as const,
    sync: syncs[kind],
  };
  return [...combinations(few)].flatMap(({ sync, ...choice }) => {
    const facts = moveSituation(choice);
    const [newest, ...older] = facts?.entries ?? [];
    if (!facts || !newest || settled(newest) !== (kind !== "intent")) return [];
    const decision = decideMove({ ...facts, entries: [{ ...newest, kind, sync }, ...older] });
    const row = allowedMoves.find(({ id }) => id === decision.rule);
    if (!row) return [];
    return [
      { before: kind, after: "intent", rule: row.id },
      { before: "intent", after: row.ends, rule: row.id },
    ] satisfies Succession[];
  });
}

const entry = (kind: Kind, sync: string[] = []): RecordEntry => ({
  epoch: 5,
  kind,
  primary: "node1",
  sync,
  systemIdentifier: "7",
  timeline: 1,
  by: "ops@desk",
  at: "2026-01-31T10:00:00Z",
  token: "token-of-the-example",
});

/** A primary's agent says when the standby is gone, and when it holds everything again. */
function byAgent(kind: Kind): Succession[] {
  const standbys = {
    gone: { streaming: false, synchronous: false, silentMs: 60_000 },
    there: { streaming: true, synchronous: true, silentMs: 0, flushed: 1n },
  };
  return syncs[kind].flatMap((sync) =>
    Object.values(standbys).flatMap((standby) => {
      const newest = entry(kind, sync);
      const facts: RunningFacts = {
        self: "node1",
        peerName: "node2",
        belief: { state: "good", newest },
        peer: { state: "silent" },
        newest,
        overtakenMs: 0,
        isolatedMs: 0,
        writable: true,
        redisMaster: true,
        strict: false,
        degradeAfterMs: 5_000,
        replication: { synchronousNames: '"node2"', standby, provenFrom: 1n },
      };
      const { rule, action } = decideRunning(facts) ?? {};
      return rule && action?.do === "claim" ? [{ before: kind, after: action.kind, rule }] : [];
    }),
  );
}

/** A record that was lost is begun anew after the last entry that anybody has seen. */
function byAdoption(kind: Kind): Succession[] {
  const facts = (standbySignal: boolean) =>
    ({
      postgres: { data: "present", standbySignal, systemIdentifier: "7", timeline: 1 },
      record: { belief: { state: "unreadable", reason: "it is lost" }, known: entry(kind) },
    }) as unknown as HostFacts;
  const nodes = [
    { name: "node1", facts: facts(false) },
    { name: "node2", facts: facts(true) },
  ];
  const adoption = adoptRecord({ nodes, highest: 0, entries: [] });
  return "entry" in adoption ? [{ before: kind, after: adoption.entry.kind, rule: "record adopt" }] : [];
}

/** What begins a record: with the first database, or with one that is older than the record. */
function first(): Succession[] {
  const inventory = { topology: { initialPrimary: "node1" } } as unknown as Inventory;
  const intent = { ...entry("intent"), epoch: 1 };
  const made = { data: "present", role: "primary", firstToken: intent.token };
  return firstDatabaseRules.flatMap(({ id, decide }) =>
    [{ data: "empty", role: "down" }, made].flatMap((postgres) =>
      [undefined, intent].flatMap((newest): Succession[] => {
        const facts = {
          inventory,
          newest,
          nodes: [beginning("node1", postgres), beginning("node2", { data: "empty" })],
        };
        const step = decide({ ...facts, done: new Set() });
        if (!step || !("action" in step) || step.action.do !== "claim") return [];
        return [{ before: newest?.kind ?? "none", after: step.action.entry.kind, rule: id }];
      }),
    ),
  );
}

const beginning = (name: string, postgres: object) =>
  ({ name, reach: "up", host: { postgres, redis: { configured: "" } } }) as unknown as NodeObservation;
