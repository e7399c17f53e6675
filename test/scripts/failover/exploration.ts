import type { RecordEntry } from "../../../components/model/record.ts";
import { type Guard, isHealthy, isPrimary, names, type State, type Step, steps } from "./protocol.ts";

/** What must never be. */
function wrong(step: Step): string | undefined {
  if (step.loses) return "an acknowledged write is lost";
  if (names.every((name) => isPrimary(step.next.nodes[name]))) return "two primaries are writable";
  return undefined;
}

export interface Explored {
  /** Every state that was reached. */
  states: State[];
  /** Whether there are no others. */
  complete: boolean;
  problem?: string;
  /** What leads to the problem. */
  path: string[];
}

const key = (state: State) => JSON.stringify(state);

/** Breadth first over everything that may happen within so many steps. */
export function explore(from: State, depth: number, without?: Guard): Explored {
  const seen = new Map<string, { before?: string; what: string }>([[key(from), { what: "" }]]);
  const pathTo = (last: string): string[] => {
    const { before, what } = seen.get(last) as { before?: string; what: string };
    return before === undefined ? [] : [...pathTo(before), what];
  };
  const states = [from];
  let level = [from];
  for (let taken = 0; taken < depth && level.length > 0; taken++) {
    const found: State[] = [];
    for (const state of level) {
      const here = key(state);
      for (const step of steps(state, without)) {
        const problem = wrong(step);
        if (problem) return { states, complete: false, problem, path: [...pathTo(here), step.what] };
        const there = key(step.next);
        if (seen.has(there)) continue;
        seen.set(there, { before: here, what: step.what });
        found.push(step.next);
      }
    }
    states.push(...found);
    level = found;
  }
  return { states, complete: level.length === 0, path: [] };
}

/**
 * The states from which no documented command leads on. The worst is assumed: whoever was at work is dead. Then power comes back, agents
 * do their part, one more command is given, or `rejoin`; some order of these must end in a healthy pair. Everything that may follow is
 * explored to its end, and searched backwards from the healthy states.
 */
export function deadEnds(states: State[], without?: Guard): State[] {
  const roots = new Map<string, State>();
  for (const state of states) roots.set(key(later({ ...state, operators: [], begins: 1, cuts: 0 })), state);
  const numbers = new Map<string, number>();
  const reached: State[] = [];
  const before: number[][] = [];
  const numberOf = (state: State) => {
    const name = key(state);
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, reached.length);
    before.push([]);
    return reached.push(state) - 1;
  };
  for (const name of roots.keys()) numberOf(JSON.parse(name));
  for (let number = 0; number < reached.length; number++)
    for (const { next } of steps(reached[number] as State, without)) before[numberOf(later(next))]?.push(number);
  const saved = new Set(reached.flatMap((state, number) => (isHealthy(state) ? [number] : [])));
  for (const number of saved) for (const earlier of before[number] ?? []) saved.add(earlier);
  return [...roots].flatMap(([name, state]) => (saved.has(numbers.get(name) as number) ? [] : [state]));
}

/** The same state without the past that nobody can read any more; whoever is at work has to find their own entry. */
function later(state: State): State {
  if (state.operators.some((operator) => operator)) return state;
  const { record, nodes } = state;
  const settled = record.findLastIndex(({ kind }) => kind !== "intent") + 1;
  const kept = [...new Set([settled, record.length, nodes.node1.seen, nodes.node2.seen])].sort((a, b) => a - b);
  const entries = kept.map((epoch) => record[epoch - 1] as RecordEntry);
  const oldest = Math.min(
    ...entries.flatMap(({ timeline }) => timeline ?? []),
    ...names.map((name) => nodes[name].timeline),
  );
  const renumbered = (name: (typeof names)[number]) => ({
    ...nodes[name],
    seen: kept.indexOf(nodes[name].seen) + 1,
    timeline: nodes[name].timeline - oldest + 1,
  });
  return {
    ...state,
    operators: [undefined],
    nodes: { node1: renumbered("node1"), node2: renumbered("node2") },
    record: entries.map((entry, index) => ({
      ...entry,
      epoch: index + 1,
      token: `of-somebody-dead-${index}`,
      timeline: entry.timeline && entry.timeline - oldest + 1,
    })),
  };
}
