type Domains = Record<string, readonly unknown[]>;
export type Choice<D extends Domains> = { [Name in keyof D]: D[Name][number] };

/** All choices of one value each. `changes`: how many may differ from the first, usual value. */
export function* combinations<D extends Domains>(domains: D, changes = Number.POSITIVE_INFINITY): Generator<Choice<D>> {
  const names = Object.keys(domains);
  const choice: Record<string, unknown> = {};
  function* from(index: number, left: number): Generator<Choice<D>> {
    const name = names[index];
    if (name === undefined) return yield { ...choice } as Choice<D>;
    for (const [position, value] of (domains[name] ?? []).entries()) {
      if (position > 0 && left === 0) return;
      choice[name] = value;
      yield* from(index + 1, position > 0 ? left - 1 : left);
    }
  }
  yield* from(0, changes);
}

/** For each id the choice that differs least from the usual one among those with that id. */
export function nearest<D extends Domains, Found>(
  domains: D,
  ids: string[],
  tryOut: (choice: Choice<D>) => { rule: string; found: Found } | undefined,
): Map<string, Found> {
  const nearest = new Map<string, Found>();
  for (let changes = 0; changes <= Object.keys(domains).length; changes++) {
    for (const choice of combinations(domains, changes)) {
      const { rule, found } = tryOut(choice) ?? {};
      if (rule !== undefined && !nearest.has(rule)) nearest.set(rule, found as Found);
    }
    if (ids.every((id) => nearest.has(id))) return nearest;
  }
  throw new Error(`no example for ${ids.filter((id) => !nearest.has(id)).join(", ")}`);
}
