import { afterAll, describe, expect, test } from "vitest";
import type { HostFacts } from "../../../components/model/host-facts.ts";
import type { Belief, RecordEntry } from "../../../components/model/record.ts";
import type { NodeObservation } from "../../../scripts/cluster/observe.ts";
import type { Decision } from "../../../scripts/roll/rule.ts";
import { decide, rulesOf } from "../../../scripts/roll/rules.ts";
import {
  entry,
  first,
  fresh,
  healthy,
  inventory,
  type NodeName,
  type NodeState,
  names,
  other,
  Pair,
  type PostgresState,
  second,
  sha256,
  units,
} from "./pair.ts";

const seenRules = new Set<string>();

/** Rolls a pair; every step is checked by the model. */
function roll(pair: Pair): string {
  const refusal = pair.roll();
  for (const rule of pair.fired) seenRules.add(rule);
  if (refusal) return `refused: ${refusal.rule}`;
  expect(pair.unfinished()).toEqual([]);
  return "done";
}

const say = (pair: Pair) => pair.steps.map(({ sentence }) => sentence);

function* product<T extends Record<string, readonly unknown[]>>(axes: T): Generator<{ [K in keyof T]: T[K][number] }> {
  const [entry, ...rest] = Object.entries(axes);
  if (!entry) {
    yield {} as { [K in keyof T]: T[K][number] };
    return;
  }
  for (const value of entry[1])
    for (const others of product(Object.fromEntries(rest))) yield { [entry[0]]: value, ...others } as never;
}

describe("roll on two fresh hosts", () => {
  test("builds the pair in this order", () => {
    const pair = new Pair(fresh({ endpoint: true }), fresh());
    expect(roll(pair)).toBe("done");
    expect(say(pair)).toMatchInlineSnapshot(`
      [
        "claim the shared storage on node1",
        "claim the shared storage on node2",
        "prove that both nodes see the same storage",
        "prove that the storage lets only one node create each entry of the record",
        "begin the cluster record: node1 is to get the first, empty database",
        "initialise the first, empty database on node1",
        "the record names node1 as primary",
        "roles, database and the slot of node2 on node1",
        "copy the database from node1 to node2",
        "wait until node2 streams from node1",
        "wait until commits on node1 wait for node2, and the record says so",
        "Redis on node1 is the master",
        "Redis on node2 is the replica",
        "start Redis on node1",
        "start Redis on node2",
        "start docker on node1",
        "start pgbouncer on node1",
        "start docker on node2",
        "start pgbouncer on node2",
        "bring Harbor 2.15.2's installer to node1",
        "bring Harbor 2.15.2's installer to node2",
        "install Harbor on node1",
        "install Harbor on node2",
        "schedule Harbor's garbage collection and the purge of its audit log",
      ]
    `);
  });

  test("gives node2 the first database when that is configured", () => {
    const pair = new Pair(fresh({ endpoint: true }), fresh(), second);
    expect(roll(pair)).toBe("done");
    expect(say(pair)).toContain("the virtual address begins on node2, beside the data");
    expect(pair.nodes[second].endpoint).toBe(true);
    expect(pair.nodes[second].postgres.role).toBe("primary");
    expect(pair.nodes[second].redis.configured).toBe("master");
  });
});

test("roll on a healthy pair has nothing to do", () => {
  const pair = new Pair(healthy(first), healthy(second));
  expect(roll(pair)).toBe("done");
  expect(say(pair)).toEqual([]);
});

test("a host that cannot be reached or read ends roll before anything is done, as unknown", () => {
  const observation = new Pair(healthy(first), healthy(second)).observe();
  for (const [reach, words] of [
    ["unreachable", "node2 is unreachable (no route to host)."],
    ["unknown", "node2 is reachable, but cannot be read (no route to host)."],
  ] as const) {
    const node2 = { name: second, reach, reason: "no route to host" };
    const decision = decide(inventory, { ...observation, node2 }, new Set());
    expect(decision).toMatchObject({ kind: "refusal", rule: "host.unreachable", sentence: words, exitCode: 3 });
  }
  expect(decide(inventory, {}, new Set())).toMatchObject({ rule: "host.unreachable", exitCode: 3 });
  seenRules.add("host.unreachable");
});

describe("PostgreSQL, for every pair of data, standby.signal, running role, and every initialPrimary", () => {
  const states = [
    ...product({
      data: ["empty", "present", "unknown"],
      standbySignal: [false, true],
      role: ["down", "primary", "standby"],
    } as const),
    // A directory with a standby.signal in it is not empty.
  ].filter(({ data, standbySignal }) => data !== "empty" || !standbySignal);

  /** What a state is, told without the rules' own code; undefined: its parts contradict each other. */
  function meaning({ data, standbySignal, role }: PostgresState) {
    if (data === "unknown") return "unknown";
    if (data === "empty") return role !== "down" ? undefined : "empty";
    if (role !== "down" && (role === "standby") !== standbySignal) return undefined;
    return standbySignal ? "standby" : "primary";
  }

  function outcome(
    one: ReturnType<typeof meaning>,
    two: ReturnType<typeof meaning>,
    named: NodeName | undefined,
  ): string {
    const both = [one, two];
    if (both.includes("unknown")) return "refused: postgres.unknown-data";
    if (both.includes(undefined)) return "refused: postgres.contradiction";
    if (named) {
      const [ofNamed, ofOther] = named === first ? [one, two] : [two, one];
      return ofNamed === "primary" && ofOther !== "primary" ? "done" : "refused: record.names-other";
    }
    if (one === "primary" && two === "primary") return "refused: postgres.two-primaries";
    if (both.includes("primary") || (one === "empty" && two === "empty")) return "done";
    return "refused: postgres.no-primary";
  }

  test.each(states)("node1 %j: ends well or is refused, and never forks or overwrites data", (one) => {
    for (const two of states)
      for (const initialPrimary of names)
        for (const streaming of [true, false])
          for (const named of [undefined, ...names]) {
            const pair = new Pair(
              healthy(first, { postgres: one }),
              healthy(second, { postgres: two }),
              initialPrimary,
              streaming,
              named ? entry(named) : null,
            );
            const before = structuredClone(pair.nodes);
            const result = roll(pair);
            expect(result, JSON.stringify({ one, two, named })).toBe(outcome(meaning(one), meaning(two), named));
            if (result !== "done") expect(pair.nodes).toEqual(before);
          }
  });

  test("data is where it is found: initialPrimary moves nothing", () => {
    const promoted: Partial<NodeState>[] = [
      { postgres: { data: "empty", standbySignal: false, role: "down" } },
      { postgres: { data: "present", standbySignal: false, role: "primary" } },
    ];
    const pair = new Pair(healthy(first, promoted[0]), healthy(second, promoted[1]), first, false, null);
    expect(roll(pair)).toBe("done");
    expect(names.map((name) => pair.nodes[name].postgres.role)).toEqual(["standby", "primary"]);
    expect(say(pair)).toEqual([
      "prove that the storage lets only one node create each entry of the record",
      "begin the cluster record of a pair that is older than it: node2 is the primary",
      "roles, database and the slot of node1 on node2",
      "copy the database from node2 to node1",
      "wait until node1 streams from node2",
      "wait until commits on node2 wait for node1, and the record says so",
    ]);
  });
});

describe("the cluster record", () => {
  const pair = () => new Pair(healthy(first), healthy(second));
  /** A healthy pair whose nodes see the record like this; the rule that ends roll. */
  function seen(...beliefs: Belief[]): Decision {
    const observation = pair().observe();
    for (const [index, name] of names.entries()) {
      const { host, ...rest } = observation[name] as NodeObservation & { host: HostFacts };
      const belief = beliefs[index] ?? beliefs[0] ?? host.record.belief;
      observation[name] = { ...rest, host: { ...host, record: { belief } } };
    }
    const decision = decide(inventory, observation, new Set());
    if (decision) seenRules.add(decision.rule);
    return decision;
  }
  const good = (newest: RecordEntry): Belief => ({ state: "good", newest });

  test("that one node cannot trust ends roll before anything is done", () => {
    const unreadable: Belief = { state: "unreadable", reason: "it went back" };
    expect(seen(good(entry(first)), unreadable)).toMatchObject({
      kind: "refusal",
      rule: "record.unreadable",
      sentence: "node2: the cluster record cannot be trusted (it went back).",
      exitCode: 2,
    });
  });

  test("that is another one on the other node ends roll", () => {
    const another = good(entry(first, { token: "token-of-another-record" }));
    expect(seen(good(entry(first)), another)).toMatchObject({ kind: "refusal", rule: "record.different" });
  });

  test("read by one node a moment later is no difference", () => {
    expect(seen(good(entry(first)), good(entry(first, { epoch: 6, token: "token-of-the-next-one" })))).toBeUndefined();
  });

  test("with an intent that nobody finished ends roll", () => {
    const intent = good(entry(second, { kind: "intent" }));
    expect(seen(intent)).toMatchObject({ kind: "refusal", rule: "record.under-way", exitCode: 2 });
  });

  test("of another database keeps PostgreSQL down, and roll says so", () => {
    const down = { data: "present", standbySignal: false, role: "down" } as const;
    const other = entry(first, { systemIdentifier: "2" });
    const pair = new Pair(healthy(first, { postgres: down }), healthy(second), first, false, other);
    expect(roll(pair)).toBe("refused: postgres.kept-down");
  });

  const intent = entry(first, {
    epoch: 1,
    kind: "intent",
    sync: [],
    systemIdentifier: undefined,
    timeline: undefined,
  });

  test("begun, but with the first database half made, is gone on with", () => {
    const made = { data: "present", standbySignal: false, role: "down", firstToken: intent.token } as const;
    for (const postgres of [fresh().postgres, made, { ...made, role: "primary" } as const]) {
      const pair = new Pair(fresh({ postgres }), fresh(), second, false, intent);
      expect(roll(pair)).toBe("done");
      expect(pair.record).toMatchObject({ primary: first, sync: [second] });
    }
  });

  test("begun, beside a database that was not made under it, is refused", () => {
    const pair = new Pair(healthy(first), healthy(second), first, true, intent);
    expect(roll(pair)).toBe("refused: record.under-way");
  });
});

describe("restart-class settings of PostgreSQL", () => {
  const waiting = [
    { marks: [], pendingRestart: [] },
    { marks: [units.postgres], pendingRestart: [] },
    { marks: [], pendingRestart: ["max_connections"] },
    { marks: [units.postgres], pendingRestart: ["max_connections", "wal_buffers"] },
  ];

  test("reach the standby first, the primary first when a limit is lowered, whoever they are", () => {
    for (const primary of names)
      for (const { one, two, lowered } of product({ one: waiting, two: waiting, lowered: [true, false] })) {
        const pair = swapped(primary, { ...one, lowered }, two);
        expect(roll(pair)).toBe("done");
        const restarted = pair.steps.filter(({ rule }) => rule === "postgres.restart").map(({ node }) => node);
        const waits = (state: (typeof waiting)[number]) => state.marks.length + state.pendingRestart.length > 0;
        const order = lowered ? [primary, other(primary)] : [other(primary)];
        expect(restarted).toEqual(order.filter((name) => waits(name === primary ? one : two)));
        const moved = pair.steps.some(({ rule }) => rule === "postgres.switchover");
        expect(moved, "the primary is not restarted under its clients").toBe(!lowered && waits(one));
      }
  });

  test("wait for the standby to stream again before the primary goes down", () => {
    const pair = new Pair(healthy(first, { marks: [units.postgres] }), healthy(second, { marks: [units.postgres] }));
    expect(roll(pair)).toBe("done");
    expect(say(pair)).toEqual([
      "restart PostgreSQL on node2 (standby) for changed settings",
      "wait until node2 streams from node1",
      "node2 takes over from node1, whose PostgreSQL has to start anew for changed settings",
    ]);
  });

  test("wait while somebody works on a node", () => {
    const observation = new Pair(healthy(first, { marks: [units.postgres] }), healthy(second)).observe();
    const { host } = observation[second] as Required<NodeObservation>;
    host.maintenance = true;
    seenRules.add("host.maintenance");
    expect(decide(inventory, observation, new Set())).toMatchObject({ kind: "refusal", rule: "host.maintenance" });
  });

  test("restart the primary in its place where a switchover comes after roll", () => {
    const observation = new Pair(healthy(first, { marks: [units.postgres] }), healthy(second)).observe();
    expect(decide(inventory, observation, new Set(["postgres.switchover"]))).toMatchObject({
      rule: "postgres.restart",
      node: first,
    });
  });

  /** A healthy pair with this primary, and changes to it and to its standby. */
  function swapped(primary: NodeName, ofPrimary: Partial<NodeState>, ofStandby: Partial<NodeState>): Pair {
    const roles = {
      [primary]: healthy(first, ofPrimary),
      [other(primary)]: healthy(second, ofStandby),
    } as Record<NodeName, NodeState>;
    return new Pair(roles.node1, roles.node2);
  }
});

describe("Redis", () => {
  const states = [
    ...product({ configured: ["", "master", "replica"], up: [true, false], marked: [true, false] } as const),
  ].filter(({ configured, up }) => configured !== "" || !up);

  test("has one master after roll, or roll refuses; the replica restarts first", () => {
    for (const primary of names)
      for (const { one, two } of product({ one: states, two: states })) {
        const node = (name: NodeName, { configured, up, marked }: (typeof states)[number]) => ({
          ...healthy(name === primary ? first : second),
          redis: { configured, up },
          marks: marked ? [units.redis] : [],
        });
        const pair = new Pair(node(first, one), node(second, two));
        const roles = [one.configured, two.configured];
        const ofPrimary = primary === first ? one.configured : two.configured;
        const masters = roles.filter((role) => role === "master").length;
        const fine = masters === 1 || (masters === 0 && ofPrimary === "");
        expect(roll(pair), JSON.stringify({ one, two, primary })).toBe(fine ? "done" : "refused: redis.masters");
      }
  });
});

describe("Harbor", () => {
  const states = [
    ...product({
      installed: ["", "the former release", sha256],
      received: [true, false],
      unit: ["active", "inactive", "activating"],
      answers: [true, false],
      marks: [[], [units.harbor], [units.docker], [units.docker, units.harbor]],
    }),
  ].filter(({ installed, unit, answers, marks }) => {
    const running = unit === "active";
    return (running || !answers) && (installed !== "" || (unit === "inactive" && !marks.includes(units.harbor)));
  });
  const node = (name: NodeName, { marks, ...harbor }: (typeof states)[number], endpoint: boolean) =>
    healthy(name, { harbor, marks, endpoint });

  test("is never down on both nodes by roll's doing, whatever is to be installed, started or restarted", () => {
    expect(states.length).toBeGreaterThan(50);
    for (const one of states)
      for (const two of states)
        for (const holder of names) {
          const pair = new Pair(node(first, one, holder === first), node(second, two, holder === second));
          expect(roll(pair), JSON.stringify({ one, two })).toBe("done");
        }
  });

  test("restarts the holder of the endpoint last, each node drained while the other one serves", () => {
    for (const holder of names) {
      const marks = [units.harbor];
      const pair = new Pair(
        healthy(first, { marks, endpoint: holder === first }),
        healthy(second, { marks, endpoint: holder === second }),
      );
      expect(roll(pair)).toBe("done");
      const steps = pair.steps.filter(({ rule }) => rule !== "storage.proof");
      expect(steps.map(({ node, action }) => ({ node, action }))).toEqual(
        [other(holder), holder].map((node) => ({ node, action: { do: "harbor", verb: "restart", drain: true } })),
      );
    }
  });

  test("that was down gets the settings that came meanwhile when it is started", () => {
    const harbor = { installed: sha256, received: true, unit: "inactive", answers: false };
    const pair = new Pair(healthy(first), healthy(second, { harbor }));
    expect(roll(pair)).toBe("done");
    expect(pair.steps.at(-1)?.action).toEqual({ do: "harbor", verb: "restart", drain: false });
  });

  test("that stays silent after a restart is not restarted for ever, and the other node is left alone", () => {
    const harbor = { installed: sha256, received: true, unit: "active", answers: false };
    const silent = new Pair(healthy(first, { harbor, marks: [] }), healthy(second, { marks: [units.harbor] }));
    const decision = decide(inventory, silent.observe(), new Set(["harbor.silent node1", "storage.proof"]));
    expect(decision).toMatchObject({ kind: "refusal", rule: "harbor.silent", exitCode: 3 });
  });

  test("that is silent on both nodes is restarted on both", () => {
    const harbor = { installed: sha256, received: true, unit: "active", answers: false };
    const pair = new Pair(healthy(first, { harbor }), healthy(second, { harbor }));
    expect(roll(pair)).toBe("done");
    expect(pair.steps.map(({ node }) => node)).toEqual([first, second]);
  });
});

describe("the shared storage", () => {
  test("that is wrong on one node stops roll before Harbor and the databases are touched", () => {
    for (const name of names) {
      const storage = { ok: false, id: "the storage", reason: "/mnt/harbor-ha is not mounted" };
      const changes: Partial<NodeState> = { marks: [units.harbor, units.postgres], storage };
      const nodes = names.map((each) => healthy(each, each === name ? changes : { marks: [units.harbor] }));
      const pair = new Pair(nodes[0] as NodeState, nodes[1] as NodeState);
      expect(roll(pair)).toBe("refused: storage.refused");
      expect(pair.steps).toEqual([]);
    }
  });

  test("is proven the same on both nodes once, before Harbor starts or restarts, and not on every roll", () => {
    const pair = new Pair(healthy(first, { marks: [units.harbor] }), healthy(second, { marks: [units.harbor] }));
    expect(roll(pair)).toBe("done");
    expect(pair.fired.filter((rule) => rule === "storage.proof")).toHaveLength(1);
    expect(pair.fired.indexOf("storage.proof")).toBeLessThan(pair.fired.indexOf("harbor.restart"));
  });
});

test("other units that are down are started, and restarted where they wait for it", () => {
  const pair = new Pair(
    healthy(first, { down: ["haproxy"], marks: ["chrony.service"] }),
    healthy(second, { down: ["keepalived", "harbor-ha-agent"] }),
  );
  expect(roll(pair)).toBe("done");
  expect(say(pair)).toEqual([
    "restart chrony.service on node1 for changed settings",
    "start haproxy on node1",
    "start harbor-ha-agent on node2",
    "start keepalived on node2",
  ]);
});

test("from 3000 mixed states, roll ends with nothing left to do, or refuses before it began", () => {
  let seed = 20261121;
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const pick = <T>(...from: T[]): T => from[random(from.length)] as T;
  const flip = () => random(2) === 0;
  const some = <T>(from: T[]) => from.filter(flip);
  let done = 0;
  for (let count = 0; count < 3000; count++) {
    const primary = pick(...names);
    const node = (name: NodeName): NodeState => {
      const isPrimary = name === primary;
      const unit = pick("active", "inactive", "activating");
      const installed = pick("", sha256, sha256, "the former release");
      const role = isPrimary ? "primary" : "standby";
      return {
        postgres: pick<PostgresState>(
          { data: "present", standbySignal: !isPrimary, role },
          { data: "present", standbySignal: !isPrimary, role: "down" },
          ...(isPrimary ? [] : [{ data: "empty", standbySignal: false, role: "down" } as const]),
        ),
        pendingRestart: some(["max_connections"]),
        lowered: flip(),
        redis: { configured: isPrimary ? "master" : pick("", "replica"), up: false },
        harbor: {
          installed,
          received: flip(),
          unit: installed === "" ? "inactive" : unit,
          answers: installed !== "" && unit === "active" && flip(),
        },
        marks: some([units.postgres, units.redis, units.docker, ...(installed === "" ? [] : [units.harbor])]),
        down: some(["docker", "haproxy", "pgbouncer", "keepalived", "harbor-ha-agent"]),
        storage: flip() ? { ok: true, id: "the storage", reason: "" } : { ok: false, id: "", reason: "not claimed" },
        endpoint: flip(),
      };
    };
    const pair = new Pair(node(first), node(second), pick(...names), flip());
    if (roll(pair) === "done") done++;
  }
  expect(done).toBe(3000);
});

describe("a node that the configuration calls absent", () => {
  const alone = (pair: Pair, survivor: NodeName) => {
    const { [survivor]: seen } = pair.observe();
    const decision = decide({ ...inventory, absent: [other(survivor)] }, seen ? { [survivor]: seen } : {}, new Set());
    if (decision) seenRules.add(decision.rule.split(" ")[0] ?? "");
    return decision;
  };

  test("may hold the data: no first database is made without it", () => {
    for (const survivor of names)
      expect(alone(new Pair(fresh(), fresh()), survivor)).toMatchObject({ kind: "refusal", rule: "host.absent-first" });
  });

  test("is not needed: whatever waits on the survivor, it is not acted on, and what serves is not restarted", () => {
    const waiting: Parameters<typeof healthy>[1][] = [
      {},
      { marks: [units.postgres] },
      { marks: [units.redis] },
      { marks: [units.harbor] },
      { marks: [units.docker] },
      { pendingRestart: ["wal_buffers"] },
      { down: ["haproxy"] },
      { redis: { configured: "master", up: false } },
      { harbor: { installed: "the former release", received: true, unit: "active", answers: true } },
    ];
    for (const survivor of names)
      for (const changes of waiting) {
        const pair = new Pair(healthy(first, changes), healthy(second, changes));
        const decision = alone(pair, survivor);
        if (!decision || decision.kind === "refusal") continue;
        expect(decision.node).toBe(survivor);
        expect(decision.rule).toMatch(/^(unit.start|redis.start|storage.proof)/);
      }
  });
});

/** Of a pair that runs both services itself. */
const rules = rulesOf({});

afterAll(() => {
  expect(
    rules.map(({ id }) => id).filter((id) => !seenRules.has(id)),
    "rules that no state reaches",
  ).toEqual([]);
});

test("every rule has an id of its own", () => {
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
});
