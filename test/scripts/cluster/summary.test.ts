import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import type { NodeObservation, Observation } from "../../../scripts/cluster/observe.ts";
import { summarize } from "../../../scripts/cluster/summary.ts";
import { decide } from "../../../scripts/roll/rules.ts";
import { entry, first, healthy, inventory, Pair, second, units } from "../roll/pair.ts";

const wellPair = () => new Pair(healthy(first), healthy(second));

/** The well pair with something changed on it. */
function observe(change: (node1: Answering, node2: Answering) => void = () => {}): Observation {
  const observation = wellPair().observe();
  change(observation[first] as Answering, observation[second] as Answering);
  return observation;
}
type Answering = NodeObservation & Required<Pick<NodeObservation, "host" | "postgres" | "redis">>;

const gone = (name: string, reach: NodeObservation["reach"] = "unreachable"): Observation => ({
  ...observe(),
  [name]: { name, reach, reason: "no route to host" },
});

const plain = (text: string) => stripVTControlCharacters(text);

test("a well pair is healthy, in a table that says who is what", () => {
  const summary = summarize(inventory, observe());
  expect(summary).toMatchObject({
    healthy: true,
    unknown: false,
    findings: [],
    endpoint: "https://registry.example.com",
  });
  expect(plain(summary.text)).toMatchInlineSnapshot(`
    "https://registry.example.com: healthy
    NODE   POSTGRESQL                    REDIS    HARBOR                    ENDPOINT
    node1  primary                       master   2.15.2 serves (stand-in)  holds
    node2  standby sync, 0 bytes behind  replica  2.15.2 serves (stand-in)
    Record: entry 5, synced at 2026-11-21T00:00:00Z: node1 is the primary, timeline 1, in sync: node2"
  `);
});

test("a unit that systemd skips because it makes no sense there is no fault", () => {
  const observation = observe((node1) => {
    node1.host.units.chrony = "skipped";
  });
  expect(summarize(inventory, observation).findings).toEqual([]);
});

describe("a fault is found, named by a stable id, and ends the pair's health", () => {
  const faults: [id: string, sentence: string, Observation][] = [
    [
      "unit.down",
      "node2: keepalived is failed",
      observe((_, node2) => {
        node2.host.units.keepalived = "failed";
      }),
    ],
    [
      "unit.down",
      "node2: harbor-ha-harbor is inactive",
      observe((_, node2) => {
        node2.host.units["harbor-ha-harbor"] = "inactive";
      }),
    ],
    [
      "restart.needed",
      "node1: docker.service has new settings that need a restart (harbor-ha roll)",
      observe((node1) => {
        node1.host.restartNeeded = [units.docker];
      }),
    ],
    [
      "restart.needed",
      "node1: PostgreSQL setting max_connections needs a restart (harbor-ha roll)",
      observe((node1) => {
        node1.postgres.pendingRestart = ["max_connections"];
      }),
    ],
    [
      "storage.wrong",
      "node2: /mnt/harbor-ha is not mounted",
      observe((_, node2) => {
        node2.host.storage = { ok: false, id: "the storage", reason: "/mnt/harbor-ha is not mounted" };
      }),
    ],
    [
      "storage.different",
      "the nodes see different shared storages",
      observe((_, node2) => {
        node2.host.storage.id = "another storage";
      }),
    ],
    [
      "harbor.silent",
      "node2: Harbor does not answer",
      observe((_, node2) => {
        node2.host.harbor.answers = false;
      }),
    ],
    [
      "harbor.drained",
      "node1: clients are held off this node",
      observe((node1) => {
        node1.host.harbor.drained = true;
      }),
    ],
    [
      "harbor.installer",
      "node1: Harbor 2.15.2 is not installed yet (harbor-ha roll)",
      observe((node1) => {
        node1.host.harbor.installed = "the former release";
      }),
    ],
    [
      "postgres.two-primaries",
      "BOTH nodes run as PostgreSQL primary",
      observe((_, node2) => {
        node2.host.postgres = { ...node2.host.postgres, standbySignal: false, role: "primary" };
      }),
    ],
    [
      "postgres.no-primary",
      "no node runs as PostgreSQL primary",
      observe((node1) => {
        node1.host.postgres.role = "down";
      }),
    ],
    [
      "postgres.standby-away",
      "node2 does not stream from node1: writes WAIT for it",
      observe((node1) => {
        node1.postgres.standbys = [];
      }),
    ],
    [
      "postgres.standby-away",
      "node2 does not stream from node1: writes go on without it, so a failover to it would lose them",
      observe((node1) => {
        Object.assign(node1.postgres, { standbys: [], synchronousStandbyNames: "" });
      }),
    ],
    [
      "postgres.standby-away",
      "node2 does not stream from node1: writes WAIT for it",
      observe((node1) => {
        node1.postgres.standbys = [{ name: second, state: "catchup", syncState: "async", lagBytes: 9 }];
      }),
    ],
    [
      "postgres.not-synchronous",
      "node2 streams, but does not yet hold all that was acknowledged",
      observe((node1) => {
        node1.postgres.standbys = [{ name: second, state: "streaming", syncState: "async", lagBytes: 0 }];
      }),
    ],
    [
      "postgres.not-synchronous",
      "node2 streams, but does not yet hold all that was acknowledged",
      observe((...nodes) => {
        for (const { host } of nodes)
          host.record.belief = { state: "good", newest: entry(first, { kind: "degraded", sync: [] }) };
      }),
    ],
    [
      "record.unreadable",
      "node2: the cluster record cannot be trusted: it went back",
      observe((_, node2) => {
        node2.host.record.belief = { state: "unreadable", reason: "it went back" };
      }),
    ],
    [
      "record.none",
      "node2: there is no cluster record yet (harbor-ha roll)",
      observe((_, node2) => {
        node2.host.record.belief = { state: "none" };
      }),
    ],
    [
      "record.under-way",
      "entry 6 of the record is an intent that nobody has finished (by somebody, 2026-11-21T00:00:00Z)",
      observe((_, node2) => {
        const newest = entry(second, { epoch: 6, kind: "intent", by: "somebody" });
        node2.host.record.belief = { state: "good", newest };
      }),
    ],
    [
      "record.other-primary",
      "node1 runs as primary, but entry 6 of the record names node2",
      observe((_, node2) => {
        const newest = entry(second, { epoch: 6, kind: "done", sync: [first] });
        node2.host.record.belief = { state: "good", newest };
      }),
    ],
    [
      "boot.other-primary",
      "node2: PostgreSQL stays down: entry 6 names node1 as primary (run harbor-ha rejoin)",
      observe((_, node2) => {
        Object.assign(node2.host.postgres, {
          role: "down",
          boot: {
            start: "no",
            rule: "boot.other-primary",
            sentence: "entry 6 names node1 as primary",
            remedy: "run harbor-ha rejoin",
          },
        });
      }),
    ],
    [
      "postgres.unknown",
      "PostgreSQL on node1 runs, but could not be asked about its standby",
      observe((node1) => {
        (node1 as NodeObservation).postgres = undefined;
      }),
    ],
    [
      "redis.masters",
      "2 nodes run as Redis master",
      observe((_, node2) => {
        node2.redis = { ...node2.redis, role: "master", linkUp: undefined };
      }),
    ],
    [
      "redis.link",
      "Redis on node2 has lost its master",
      observe((_, node2) => {
        node2.redis.linkUp = false;
      }),
    ],
    [
      "endpoint.holders",
      "0 nodes hold the virtual address 10.231.77.10",
      observe((node1) => {
        node1.host.addresses = ["10.231.77.11"];
      }),
    ],
    [
      "endpoint.holders",
      "2 nodes hold the virtual address 10.231.77.10",
      observe((_, node2) => {
        node2.host.addresses.push("10.231.77.10");
      }),
    ],
  ];

  test.each(faults)("%s: %s", (id, sentence, observation) => {
    const { healthy, unknown, findings, text } = summarize(inventory, observation);
    expect(findings).toEqual([expect.objectContaining({ id, sentence })]);
    expect({ healthy, unknown }).toEqual({ healthy: false, unknown: false });
    expect(plain(text)).toContain(`not healthy\n  ${sentence} [${id}]\n`);
  });
});

describe("a node that cannot be asked", () => {
  test("is unknown, not down, and so is what only it could tell", () => {
    const { unknown, findings, text } = summarize(inventory, gone(first));
    expect(unknown).toBe(true);
    expect(findings.map(({ id, sentence }) => `${id}: ${sentence}`)).toEqual([
      "host.unreachable: node1 is unreachable: no route to host",
      "postgres.no-primary: no node of those that answer runs as PostgreSQL primary",
      "redis.masters: 0 nodes of those that answer run as Redis master",
      "endpoint.holders: 0 nodes of those that answer hold the virtual address 10.231.77.10",
    ]);
    expect(plain(text)).toContain("not healthy, or not known to be");
    expect(plain(text)).toMatch(/^node1 +unreachable +\? +\? +\?$/m);
  });

  test("while the other one goes on: one finding about it, one about what waits for it", () => {
    const observation = gone(second, "unknown");
    const node1 = observation[first] as Answering;
    node1.postgres.standbys = [];
    expect(summarize(inventory, observation).findings.map(({ sentence }) => sentence)).toEqual([
      "node2 is unknown: no route to host",
      "node2 does not stream from node1: writes WAIT for it",
    ]);
  });

  test("is noticed also when nothing at all was heard of it", () => {
    expect(summarize(inventory, {})).toMatchObject({ healthy: false, unknown: true });
  });
});

test("the table tells the standby's lag, a stand-in, and who is drained", () => {
  const { text } = summarize(
    inventory,
    observe((node1, node2) => {
      node1.postgres.standbys = [{ name: second, state: "streaming", syncState: "sync", lagBytes: 4096 }];
      node2.host.harbor.drained = true;
      node1.host.harbor.standIn = false;
    }),
  );
  expect(plain(text)).toMatch(/^node1 +primary +master +2\.15\.2 serves +holds$/m);
  expect(plain(text)).toMatch(
    /^node2 +standby sync, 4096 bytes behind +replica +2\.15\.2 serves \(stand-in\), drained$/m,
  );
});

test("what status calls healthy leaves roll nothing to do", () => {
  const changes: Parameters<typeof healthy>[1][] = [
    {},
    { marks: [units.postgres] },
    { marks: [units.redis] },
    { marks: [units.docker] },
    { marks: [units.harbor] },
    { pendingRestart: ["wal_buffers"] },
    { down: ["haproxy"] },
    { down: ["pgbouncer"] },
    { redis: { configured: "replica", up: false } },
    { redis: { configured: "master", up: true } },
    { harbor: { installed: "the former release", received: true, unit: "active", answers: true } },
    { harbor: { ...healthy(first).harbor, unit: "failed" } },
    { harbor: { ...healthy(first).harbor, answers: false } },
    { storage: { ok: false, id: "", reason: "not claimed" } },
    { postgres: { data: "empty", standbySignal: false, role: "down" } },
    { postgres: { data: "present", standbySignal: true, role: "down" } },
    { postgres: { data: "present", standbySignal: false, role: "down" } },
  ];
  let healthyOnes = 0;
  for (const one of changes)
    for (const two of changes) {
      const observation = new Pair(healthy(first, one), healthy(second, two)).observe();
      if (!summarize(inventory, observation).healthy) continue;
      healthyOnes++;
      expect(decide(inventory, observation, new Set()), JSON.stringify([one, two])).toBeUndefined();
    }
  expect(healthyOnes).toBeGreaterThan(0);
});
