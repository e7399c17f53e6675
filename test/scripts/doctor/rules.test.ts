import { describe, expect, test } from "vitest";
import type { Examination } from "../../../components/model/examination.ts";
import type { NodeObservation } from "../../../scripts/cluster/observe.ts";
import { condition, type Diagnosis, diagnose } from "../../../scripts/doctor/rules.ts";
import { first, healthy, inventory, Pair, second } from "../roll/pair.ts";

const well: Examination = {
  drift: [],
  unheld: [],
  fingerprints: { secrets: "a1", agent: "b2" },
  certificates: { "/etc/harbor-ha/tls/endpoint.crt": 400 },
  disks: { "/": 0.4 },
  clock: 1_000,
  maxSlotWalKeepBytes: 1e9,
  write: "",
  components: {},
  leftovers: [],
};
type Nodes = [Required<NodeObservation>, Required<NodeObservation>];

/** A pair without fault, with changes to what is seen of node1, its primary, and to either node. */
function diagnosed(examination: Partial<Examination> = {}, change: (nodes: Nodes) => void = () => {}, fence = true) {
  const observation = new Pair(healthy(first), healthy(second)).observe();
  const nodes = Object.values(observation) as Nodes;
  nodes[0].postgres.slots = [{ name: second, active: true, keptBytes: 1_000 }];
  change(nodes);
  return diagnose({
    inventory: fence ? inventory : { ...inventory, fence: { kind: "none" } },
    observation,
    examinations: { node1: { ...well, ...examination }, node2: well },
  });
}

test("of a pair without fault nothing is said", () => expect(diagnosed()).toEqual([]));

const rows: [id: string, severity: Diagnosis["severity"], found: () => Diagnosis[], sentence: RegExp][] = [
  [
    "host.drift",
    "warning",
    () => diagnosed({ drift: [{ path: "/etc/haproxy/haproxy.cfg", service: "haproxy", is: "changed" }] }),
    /node1: \/etc\/haproxy\/haproxy\.cfg is changed since/,
  ],
  ["packages.unheld", "warning", () => diagnosed({ unheld: ["docker.io"] }), /may restart docker\.io/],
  ["certificate.expires", "warning", () => diagnosed({ certificates: { "/x.crt": 20.9 } }), /expires in 20 days/],
  ["certificate.expires", "critical", () => diagnosed({ certificates: { "/x.crt": -1 } }), /has expired/],
  ["disk.full", "warning", () => diagnosed({ disks: { "/": 0.85 } }), /85 % full/],
  ["disk.full", "critical", () => diagnosed({ disks: { "/": 0.95 } }), /95 % full/],
  [
    "disk.filling",
    "warning",
    () => diagnosed({ daysUntilFull: { "/": 12.7, "/data": 31 } }),
    /\/ will be full in 12 days/,
  ],
  ["postgres.leftovers", "notice", () => diagnosed({ leftovers: ["/data.former"] }), /did not end: \/data\.former/],
  ["fence.none", "notice", () => diagnosed({}, undefined, false), /nothing can switch a lost primary off/],
  [
    "nodes.differ",
    "critical",
    () => diagnosed({ fingerprints: { ...well.fingerprints, secrets: "zz" } }),
    /same secrets/,
  ],
  [
    "harbor.no-write",
    "critical",
    () => diagnosed({ write: "a write did not end within 8 s" }),
    /could not write .*8 s/,
  ],
  [
    "harbor.component",
    "critical",
    () => diagnosed({ components: { jobservice: "EOF" } }),
    /jobservice is not healthy \(EOF\)/,
  ],
  ["clock.skew", "warning", () => diagnosed({ clock: 1_010 }), /10 s apart/],
  ["slot.missing", "warning", () => diagnosed({}, ([one]) => void one.postgres.slots.splice(0)), /no slot for node2/],
  [
    "slot.bloated",
    "warning",
    () =>
      diagnosed(
        {},
        ([one]) => void Object.assign(one.postgres, { slots: [{ name: second, active: true, keptBytes: 8e8 }] }),
      ),
    /keeps 800 MB of WAL for node2; at 1000 MB/,
  ],
  [
    "slot.stray",
    "warning",
    () => diagnosed({}, ([one]) => void one.postgres.slots.push({ name: "old", active: false, keptBytes: 1 })),
    /WAL for nobody: slot old/,
  ],
  [
    "sync.mismatch",
    "critical",
    () => diagnosed({}, ([one]) => void Object.assign(one.postgres, { synchronousStandbyNames: "" })),
    /commits wait for node2, PostgreSQL on node1 waits for nobody/,
  ],
  [
    "redis.memory",
    "warning",
    () => diagnosed({}, ([one]) => void Object.assign(one.redis, { usedMemory: 90, maxMemory: 100 })),
    /90 % of its memory/,
  ],
];

describe.each(rows)("%s (%s)", (id, severity, found, sentence) => {
  test("is found, with a remedy", () => {
    const diagnosis = found().find((diagnosis) => diagnosis.id === id);
    expect(diagnosis).toMatchObject({ severity, sentence: expect.stringMatching(sentence) });
    expect(diagnosis?.remedy).toMatch(/\w{4}/);
  });
});

test("what status finds comes first, and a unit that is down can be started", () => {
  const found = diagnosed(
    { unheld: ["redis-server"] },
    ([one]) => void Object.assign(one.host.units, { pgbouncer: "failed" }),
  );
  expect(found.map(({ id, fix }) => [id, fix?.do])).toEqual([
    ["unit.down", "start"],
    ["packages.unheld", "hold"],
  ]);
});

test("a host that could not be examined is not called well", () => {
  const observation = new Pair(healthy(first), healthy(second)).observe();
  const found = diagnose({ inventory, observation, examinations: { node1: well, node2: undefined } });
  expect(found.map(({ id, node }) => [id, node])).toContainEqual(["host.unexamined", second]);
});

test("of a host that cannot be asked only that is said", () => {
  const observation = {
    ...new Pair(healthy(first), healthy(second)).observe(),
    node2: { name: second, reach: "unreachable" },
  };
  const found = diagnose({
    inventory,
    observation: observation as never,
    examinations: { node1: well, node2: undefined },
  });
  expect(found.map(({ id }) => id)).toContain("host.unreachable");
});

test("what is broken now without being seen at a glance belongs to the status, what may break later does not", () => {
  const observation = new Pair(healthy(first), healthy(second)).observe();
  const sick = { ...well, write: "a write did not end within 8 s", unheld: ["docker.io"] };
  const { healthy: whole, findings } = condition({
    inventory,
    observation,
    examinations: { node1: sick, node2: well },
  });
  expect([whole, findings.map(({ id }) => id)]).toEqual([false, ["harbor.no-write"]]);
});
