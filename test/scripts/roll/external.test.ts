import { describe, expect, test } from "vitest";
import type { Inventory } from "../../../components/model/inventory.ts";
import type { NodeObservation, Observation } from "../../../scripts/cluster/observe.ts";
import { summarize } from "../../../scripts/cluster/summary.ts";
import { decideMove } from "../../../scripts/failover/rules.ts";
import { decide, rulesOf } from "../../../scripts/roll/rules.ts";
import { entry, first, healthy, inventory, Pair, second } from "./pair.ts";

// Pairs whose database, Redis or both are servers of yours.
const database = { host: "db.example.com", port: 5432, name: "registry", user: "harbor", sslMode: "require" };
const redis = { host: "redis.example.com", port: 6379, tls: false };
const pairWith = (servers: Partial<Inventory["topology"]>): Inventory => ({
  ...inventory,
  topology: { ...inventory.topology, ...servers },
});
const bothYours = pairWith({ database, redis });
const databaseYours = pairWith({ database });
const redisYours = pairWith({ redis });

/** A healthy pair as its hosts say it, without what does not run there. */
function observed(pair: Inventory, change: (nodes: Required<NodeObservation>[]) => void = () => {}): Observation {
  const observation = new Pair(healthy(first), healthy(second)).observe();
  const nodes = Object.values(observation) as Required<NodeObservation>[];
  for (const node of nodes) {
    if (pair.topology.database) {
      node.host.postgres = { ...node.host.postgres, data: "empty", role: "down", standbySignal: false };
      node.host.units["postgresql@17-main"] = "inactive";
      delete (node as NodeObservation).postgres;
    }
    if (pair.topology.redis) {
      node.host.redis = { ...node.host.redis, role: "down", configured: "" };
      node.host.units["redis-server"] = "inactive";
      delete (node as NodeObservation).redis;
    }
    if (pair === bothYours) node.host.record = { belief: { state: "none" } };
    // Only PostgreSQL makes a standby synchronous.
    if (pair === databaseYours) node.host.record = { belief: { state: "good", newest: ofRedis } };
  }
  change(nodes);
  return observation;
}
const ofRedis = entry(first, { kind: "done", sync: [], timeline: undefined, systemIdentifier: undefined });
const next = (pair: Inventory, change?: (nodes: Required<NodeObservation>[]) => void) =>
  decide(pair, observed(pair, change), new Set(["record.proof"]));

describe.each([
  ["both", bothYours],
  ["the database", databaseYours],
  ["Redis", redisYours],
])("%s elsewhere", (_, pair) => {
  test("a pair that serves needs nothing, and is healthy", () => {
    expect(next(pair)).toBeUndefined();
    const summary = summarize(pair, observed(pair));
    expect(summary.findings).toEqual([]);
    expect(summary.text).toContain("yours");
  });

  test("a server that cannot be used is said before Harbor is touched", () => {
    for (const service of ["database", "redis"] as const) {
      if (!pair.topology[service]) continue;
      const broken = (nodes: Required<NodeObservation>[]) => {
        for (const node of nodes) {
          node.host.unreachable = { [service]: "password authentication failed" };
          node.host.harbor.installed = "";
        }
      };
      expect(next(pair, broken)).toMatchObject({ kind: "refusal", rule: `external.${service}`, exitCode: 2 });
      expect(summarize(pair, observed(pair, broken)).findings.map(({ id }) => id)).toContain(`external.${service}`);
    }
  });

  test("every rule has an id of its own", () => {
    const ids = rulesOf(pair.topology).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("Redis alone on the nodes", () => {
  test("gets a record that names its master", () => {
    const fresh = (nodes: Required<NodeObservation>[]) => {
      for (const { host } of nodes) {
        host.record = { belief: { state: "none" } };
        host.redis = { ...host.redis, configured: "", role: "down" };
      }
    };
    expect(next(databaseYours, fresh)).toMatchObject({
      rule: "record.first-redis",
      action: { do: "claim", previous: 0, entry: { kind: "done", primary: first, sync: [] } },
    });
  });

  test("of a former master is left to rejoin", () => {
    const moved = (nodes: Required<NodeObservation>[]) => {
      const newest = { ...ofRedis, primary: second, epoch: 7 };
      for (const { host } of nodes) {
        host.record = { belief: { state: "good", newest } };
        host.redis = { ...host.redis, configured: "# master" };
      }
    };
    expect(next(databaseYours, moved)).toMatchObject({ kind: "refusal", rule: "redis.former-master" });
  });

  const wish = (verb: "switchover" | "failover", change?: Parameters<typeof observed>[1]) =>
    decideMove({
      verb,
      inventory: databaseYours,
      observation: observed(databaseYours, change),
      entries: [ofRedis],
      acceptLoss: false,
    });

  test("moves by switchover, and by failover without a flag: nobody promised its last second", () => {
    expect(wish("switchover")).toMatchObject({ kind: "move", from: first, to: second });
    expect(
      wish("failover", ([node]) => {
        if (node) node.host.redis.role = "down";
      }),
    ).toMatchObject({ kind: "move", to: second });
    expect(wish("failover")).toMatchObject({ rule: "failover.primary-serves" });
    expect(wish("switchover").sentence).toMatch(/^Redis on node2 .* stays as it is\. About a second/);
  });

  test("does not move to a replica that has lost its master", () => {
    expect(
      wish("switchover", ([, node]) => {
        if (node) node.redis.linkUp = false;
      }),
    ).toMatchObject({ rule: "switchover.not-streaming" });
  });
});

test("with both elsewhere nothing is moved here", () => {
  for (const verb of ["switchover", "failover"] as const)
    expect(
      decideMove({ verb, inventory: bothYours, observation: observed(bothYours), acceptLoss: false }),
    ).toMatchObject({ kind: "refusal", rule: "move.yours", exitCode: 2 });
});
