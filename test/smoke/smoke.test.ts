import { expect, test } from "vitest";
import { lifetimeMs, type PaidPair, smoke } from "./smoke.ts";

const limits = { perHour: 1, cap: 8 };
const never = new AbortController().signal;

function pair(changes: Partial<PaidPair> = {}) {
  const done: string[] = [];
  const said: string[] = [];
  const all: PaidPair = {
    up: async () => void done.push("up"),
    checks: [["healthy", async () => void done.push("check")]],
    destroy: async () => void done.push("destroy"),
    remains: async () => [],
    ...changes,
  };
  return { all, done, said, run: (signal = never, at = limits) => smoke(all, at, (line) => said.push(line), signal) };
}

test("a pair that is well is taken down, and the test has passed", async () => {
  const { run, done } = pair();
  expect(await run()).toBe(true);
  expect(done).toEqual(["up", "check", "destroy"]);
});

test("one that fails, in `up` or in a check, is taken down all the same", async () => {
  for (const changes of [
    { up: () => Promise.reject(new Error("sold out")) },
    { checks: [["healthy", () => Promise.reject(new Error("sick"))]] as PaidPair["checks"] },
  ]) {
    const { run, done, said } = pair(changes);
    expect(await run()).toBe(false);
    expect(done).toContain("destroy");
    expect(said.join()).toMatch(/failed: (sold out|sick)/);
  }
});

test("one that hangs is taken down when the cap is reached, or somebody interrupts", async () => {
  const hangs = { up: () => new Promise<void>(() => {}) };
  const capped = pair(hangs);
  expect(await capped.run(never, { perHour: 1, cap: 0.00001 })).toBe(false);
  expect(capped.said[0]).toBe("failed: the cap is reached");
  const broken = pair(hangs);
  const controller = new AbortController();
  const running = broken.run(controller.signal);
  controller.abort();
  expect(await running).toBe(false);
  expect(broken.said[0]).toBe("failed: interrupted");
  expect([...capped.done, ...broken.done]).toEqual(["destroy", "destroy"]);
});

test("taking down is repeated until nothing is left", async () => {
  let calls = 0;
  const { run, said } = pair({
    destroy: async () => {
      if (++calls === 1) throw new Error("busy");
    },
    remains: async () => (calls < 3 ? ["instance i-bp1one"] : []),
  });
  expect(await run()).toBe(true);
  expect(calls).toBe(3);
  expect(said.at(-1)).toBe("everything is gone");
});

test("what cannot be taken down is named, and the test has failed", async () => {
  const { run, said } = pair({ remains: async () => ["instance i-bp1one"] });
  expect(await run()).toBe(false);
  expect(said.at(-1)).toBe("STILL THERE AND PAID FOR: instance i-bp1one");
});

test("a quarter of the cap is kept for taking down", () => {
  expect(lifetimeMs({ perHour: 2, cap: 8 })).toBe(3 * 3_600_000);
});
