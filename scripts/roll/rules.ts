import { type Inventory, presentNodes } from "../../components/model/inventory.ts";
import { dataServices, type Topology } from "../../components/model/topology.ts";
import { newestEntry, type Observation } from "../cluster/observe.ts";
import { type Decision, data, type Facts, isStandbyData, type Rule } from "./rule.ts";
import { externalRules } from "./rules/external.ts";
import { harborRules } from "./rules/harbor.ts";
import { hostRules } from "./rules/host.ts";
import { dataRules, postgresRules } from "./rules/postgres.ts";
import {
  firstDatabaseRules,
  firstRedisRules,
  namedDataRules,
  namedRedisRules,
  recordRules,
  settledRules,
} from "./rules/record.ts";
import { redisRules } from "./rules/redis.ts";
import { storageRules } from "./rules/storage.ts";
import { unitRules } from "./rules/unit.ts";

/** First match wins, top to bottom; every step leads to another observation. What runs elsewhere has no rules here. */
export function rulesOf(topology: Pick<Topology, "database" | "redis">): Rule[] {
  const services = dataServices(topology);
  const postgres = services.includes("postgres");
  const where = (condition: boolean, rules: Rule[]) => (condition ? rules : []);
  return [
    ...hostRules,
    ...storageRules,
    ...where(postgres, dataRules),
    ...where(services.length > 0, recordRules),
    ...(postgres ? firstDatabaseRules : where(services.length > 0, firstRedisRules)),
    ...where(services.length > 0, settledRules),
    ...(postgres ? namedDataRules : where(services.length > 0, namedRedisRules)),
    ...where(postgres, postgresRules),
    ...where(services.includes("redis"), redisRules),
    ...unitRules,
    ...where(services.length < 2, externalRules),
    ...harborRules,
  ];
}

/** Rules that fire once in a run on each node, not once for both. */
const oncePerNode = new Set(["harbor.silent"]);

/** Decides the next step from one observation. Pure. */
export function decide(inventory: Inventory, observation: Observation, done: ReadonlySet<string>): Decision {
  const nodes = presentNodes(inventory).map(({ name }) => observation[name] ?? { name, reach: "unknown" as const });
  const newest = newestEntry(nodes);
  const primaries = nodes.filter((node) => data(node) === "present" && !isStandbyData(node));
  const [primary] = !inventory.topology.database
    ? primaries.length === 1
      ? primaries
      : []
    : // Redis has no data that tells whose it is.
      nodes.filter(({ name }) => name === newest?.primary);
  const standby = primary && nodes.find((node) => node !== primary);
  const facts: Facts = { inventory, nodes, newest, primary, standby, done };
  for (const { id, decide } of rulesOf(inventory.topology)) {
    const decision = decide(facts);
    if (!decision) continue;
    if ("sentence" in decision && !("action" in decision)) return { kind: "refusal", rule: id, ...decision };
    return { kind: "step", rule: oncePerNode.has(id) ? `${id} ${decision.node}` : id, ...decision };
  }
  return undefined;
}
