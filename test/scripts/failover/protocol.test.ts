import { describe, expect, test } from "vitest";
import { successions } from "../../../scripts/docs/record-diagram.ts";
import { deadEnds, explore } from "./exploration.ts";
import { type Guard, start } from "./protocol.ts";

// `EXPLORE=12 npx vitest run test/scripts/failover/protocol` looks further than the last one.
const worlds = [
  { operators: 1, cuts: 2 },
  { operators: 2, cuts: 0 },
  { operators: 2, cuts: 2, depth: Number(process.env.EXPLORE ?? 8) },
].map(({ operators, cuts, depth = Number.POSITIVE_INFINITY }) => {
  const explored = explore(start(operators, cuts), depth);
  const extent = explored.complete ? "to the end" : `to a depth of ${depth}`;
  return {
    ...explored,
    name: `operators: ${operators}, power cuts: ${cuts}, ${extent} (${explored.states.length} states)`,
  };
});

describe("operators, agents, crashes and power cuts, in any order", () => {
  for (const { name, problem, path } of worlds)
    test(`${name}: never two writable primaries, never a lost acknowledged write`, () => {
      expect(problem, path.join("\n")).toBeUndefined();
    });

  test("from every one of these states documented commands lead to a healthy pair", () => {
    expect(deadEnds(worlds.flatMap(({ states }) => states)).map((state) => JSON.stringify(state))).toEqual([]);
  });

  test("entries of the record follow each other as docs/decisions.md says", () => {
    const documented = new Set(successions().map(({ before, after }) => `${before} ${after}`));
    const seen = new Set(
      worlds.flatMap(({ states }) =>
        states.flatMap(({ record }) => record.slice(1).map(({ kind }, index) => `${record[index]?.kind} ${kind}`)),
      ),
    );
    expect([...seen].filter((pair) => !documented.has(pair))).toEqual([]);
  });
});

test("a way back that is taken away is missed", () => {
  expect(deadEnds(explore(start(1, 0), Number.POSITIVE_INFINITY).states, "rejoin")).not.toEqual([]);
});

describe("a guard that is taken away is missed", () => {
  test.each<[guard: Guard, operators: number, cuts: number]>([
    ["stop-before-promote", 1, 0],
    ["sync-before-promote", 1, 1],
    ["record-before-release", 1, 1],
    ["read-before-release", 1, 2],
    ["own-token", 2, 0],
    ["claim-once", 1, 1],
  ])("%s", (guard, operators, cuts) => {
    const { problem } = explore(start(operators, cuts), Number.POSITIVE_INFINITY, guard);
    expect(problem, `nothing was found without ${guard}`).toMatch(/lost|primaries/);
  });
});
