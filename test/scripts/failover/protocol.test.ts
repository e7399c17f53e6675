import { describe, expect, test } from "vitest";
import { acknowledges, type Guard, isHealthy, names, type State, type Step, start, steps } from "./protocol.ts";

/** What must never be. */
function wrong(step: Step): string | undefined {
  if (step.loses) return "an acknowledged write is lost";
  if (names.every((name) => acknowledges(step.next, name))) return "two primaries acknowledge";
  return undefined;
}

interface Found {
  states: State[];
  problem?: string;
  path: string[];
}

/** Breadth first over everything that may happen, up to so many states. */
function explore(from: State, limit: number, without?: Guard): Found {
  const seen = new Map<string, { before?: string; what: string }>();
  const key = (state: State) => JSON.stringify(state);
  const queue = [from];
  seen.set(key(from), { what: "" });
  const pathTo = (last: string): string[] => {
    const { before, what } = seen.get(last) as { before?: string; what: string };
    return before === undefined ? [] : [...pathTo(before), what];
  };
  let index = 0;
  for (; index < limit; index++) {
    const state = queue[index];
    if (!state) break;
    const here = key(state);
    for (const step of steps(state, without)) {
      const there = key(step.next);
      const problem = wrong(step);
      if (problem) return { states: queue, problem, path: [...pathTo(here), step.what] };
      if (seen.has(there)) continue;
      seen.set(there, { before: here, what: step.what });
      queue.push(step.next);
    }
  }
  return { states: queue.slice(0, index), path: [] };
}

// `EXPLORE=1000000 npx vitest run test/scripts/failover` looks further.
const limit = Number(process.env.EXPLORE ?? 15_000);

describe("two operators, agents, crashes and power cuts, in any order", () => {
  const { states, problem, path } = explore(start(2, 2), limit);

  test("never lead to two acknowledging primaries or a lost acknowledged write", () => {
    expect(problem, path.join("\n")).toBeUndefined();
    expect(states.length).toBe(limit);
  });

  test("never lead to a state from which the documented commands lead nowhere", () => {
    // Of every 100th state: the operators under way are dead, no more faults, one more operator, agents, rejoin.
    for (let index = 0; index < states.length; index += 100) {
      const stuck = {
        ...structuredClone(states[index] as State),
        operators: [undefined, undefined],
        cuts: 0,
        begins: 1,
      };
      expect(leadsOn(stuck), JSON.stringify(states[index])).toBe(true);
    }
  });
});

/** Whether some order of what may happen, without further faults, ends in a healthy pair. */
function leadsOn(from: State): boolean {
  const seen = new Set<string>();
  const queue = [from];
  for (let state = queue.pop(); state; state = queue.pop()) {
    if (isHealthy(state)) return true;
    for (const { next } of steps(state)) {
      const there = JSON.stringify(next);
      if (seen.has(there)) continue;
      seen.add(there);
      queue.push(next);
    }
    if (seen.size > 20_000) return false;
  }
  return false;
}

describe("a guard that is taken away is missed", () => {
  test.each<[guard: Guard, operators: number, cuts: number]>([
    ["stop-before-promote", 1, 1],
    ["sync-before-promote", 1, 1],
    ["record-before-release", 1, 1],
    ["own-token", 2, 0],
    ["claim-once", 2, 2],
  ])("%s", (guard, operators, cuts) => {
    const { problem } = explore(start(operators, cuts), 40_000, guard);
    expect(problem, `nothing was found without ${guard}`).toMatch(/lost|primaries/);
  });
});
