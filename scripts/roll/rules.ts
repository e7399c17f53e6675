import { type Inventory, presentNodes } from "../../components/model/inventory.ts";
import { newestEntry, type Observation } from "../cluster/observe.ts";
import { type Decision, data, type Facts, isStandbyData, type Rule } from "./rule.ts";
import { harborRules } from "./rules/harbor.ts";
import { hostRules } from "./rules/host.ts";
import { dataRules, postgresRules } from "./rules/postgres.ts";
import { recordRules } from "./rules/record.ts";
import { redisRules } from "./rules/redis.ts";
import { storageRules } from "./rules/storage.ts";
import { unitRules } from "./rules/unit.ts";

/** First match wins, top to bottom; every step leads to another observation. */
export const rules: Rule[] = [
  ...hostRules,
  ...storageRules,
  ...dataRules,
  ...recordRules,
  ...postgresRules,
  ...redisRules,
  ...unitRules,
  ...harborRules,
];

/** Rules that fire once in a run on each node, not once for both. */
const oncePerNode = new Set(["harbor.silent"]);

/** Decides the next step from one observation. Pure. */
export function decide(inventory: Inventory, observation: Observation, done: ReadonlySet<string>): Decision {
  const nodes = presentNodes(inventory).map(({ name }) => observation[name] ?? { name, reach: "unknown" as const });
  const primaries = nodes.filter((node) => data(node) === "present" && !isStandbyData(node));
  const primary = primaries.length === 1 ? primaries[0] : undefined;
  const standby = primary && nodes.find((node) => node !== primary);
  const newest = newestEntry(nodes);
  const facts: Facts = { inventory, nodes, newest, primary, standby, done };
  for (const { id, decide } of rules) {
    const decision = decide(facts);
    if (!decision) continue;
    if ("sentence" in decision && !("action" in decision)) return { kind: "refusal", rule: id, ...decision };
    return { kind: "step", rule: oncePerNode.has(id) ? `${id} ${decision.node}` : id, ...decision };
  }
  return undefined;
}
