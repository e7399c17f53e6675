import { describe, expect, test } from "vitest";
import type { HostFacts } from "../../../components/model/host-facts.ts";
import { type AdoptionFacts, adoptRecord } from "../../../scripts/record/adopt.ts";
import { sampleEntry } from "../../support/sample.ts";

type Facts = Pick<HostFacts, "postgres" | "record">;
/** A node that has lost its record, with changes. */
const node = (
  name: string,
  postgres: Partial<HostFacts["postgres"]> = {},
  record: Partial<HostFacts["record"]> = {},
) => ({
  name,
  facts: {
    postgres: {
      data: "present",
      standbySignal: false,
      role: "down",
      systemIdentifier: "7",
      timeline: 3,
      firstToken: "",
      boot: { start: "no", rule: "boot.record-unreadable", sentence: "", remedy: "" },
      ...postgres,
    },
    record: { belief: { state: "unreadable", reason: "it is lost" }, known: sampleEntry(), ...record },
  } satisfies Facts,
});
const standby = { standbySignal: true };
const adopt = (
  one: AdoptionFacts["nodes"][number],
  two: AdoptionFacts["nodes"][number],
  rest: Partial<AdoptionFacts> = {},
) => adoptRecord({ nodes: [one, two], highest: 0, entries: [], ...rest });

describe("a lost record is replaced by one that names", () => {
  test("the node with the primary's data, after the highest entry that anybody has seen", () => {
    expect(adopt(node("node1"), node("node2", standby, { known: sampleEntry({ epoch: 8 }) }))).toMatchObject({
      previous: 8,
      entry: { kind: "restored", primary: "node1", sync: [], systemIdentifier: "7", timeline: 3 },
    });
    expect(adopt(node("node1", standby), node("node2"), { highest: 11 })).toMatchObject({
      previous: 11,
      entry: { primary: "node2" },
    });
  });

  test("of two former primaries the one on the newer timeline", () => {
    expect(adopt(node("node1"), node("node2", { timeline: 4 }))).toMatchObject({
      entry: { primary: "node2", timeline: 4 },
    });
  });
});

test.each<[string, ReturnType<typeof adopt>]>([
  ["adopt.unreachable", adopt(node("node1"), { name: "node2" })],
  [
    "adopt.not-lost",
    adopt(
      node("node1", {}, { belief: { state: "good", newest: sampleEntry() } }),
      node("node2", standby, { belief: { state: "good", newest: sampleEntry() } }),
    ),
  ],
  ["adopt.two-databases", adopt(node("node1"), node("node2", { ...standby, systemIdentifier: "8" }))],
  [
    "adopt.foreign",
    adopt(node("node1"), node("node2", standby), { entries: [sampleEntry({ systemIdentifier: "8" })] }),
  ],
  [
    "adopt.under-way",
    adopt(node("node1"), node("node2", standby, { known: sampleEntry({ epoch: 6, kind: "intent" }) })),
  ],
  ["adopt.no-primary", adopt(node("node1", standby), node("node2", standby))],
  ["adopt.no-primary", adopt(node("node1", { data: "empty", systemIdentifier: undefined }), node("node2", standby))],
  ["adopt.undecided", adopt(node("node1"), node("node2"))],
  ["adopt.undecided", adopt(node("node1"), node("node2", { ...standby, timeline: 4 }))],
])("%s is refused, with what to do", (rule, refusal) => {
  expect(refusal).toMatchObject({ rule, sentence: expect.stringMatching(/\.$/), remedy: expect.stringMatching(/./) });
});
