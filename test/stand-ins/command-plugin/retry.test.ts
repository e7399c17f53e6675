import { describe, expect, test, vi } from "vitest";

import { delayBefore, isLast, untilDialled } from "./retry.ts";

const FAST = { firstDelay: 0, factor: 1, longestDelay: 0 };

function failing(times: number) {
  const attempt = vi.fn(async () => {
    if (attempt.mock.calls.length <= times) throw new Error("refused");
    return "connected";
  });
  return attempt;
}

function attempts(limit: number, attempt: () => Promise<string>, signal = new AbortController().signal) {
  const status = vi.fn();
  return { status, result: untilDialled({ what: "Dial", limit, pace: FAST, signal, status, attempt }) };
}

describe("how often", () => {
  test("limit 10 means eleven dials", async () => {
    const attempt = failing(99);
    const { result, status } = attempts(10, attempt);
    await expect(result).rejects.toThrow("after 10 failed attempts: refused");
    expect(attempt).toHaveBeenCalledTimes(11);
    expect(status.mock.calls.at(0)).toEqual(["Dial 1/10 failed: retrying"]);
    expect(status).toHaveBeenCalledTimes(10);
  });

  test("limit 0 means one", async () => {
    const attempt = failing(99);
    await expect(attempts(0, attempt).result).rejects.toThrow("after 0 failed attempts: refused");
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  test("limit -1 means any number", async () => {
    const attempt = failing(200);
    const { result, status } = attempts(-1, attempt);
    await expect(result).resolves.toBe("connected");
    expect(attempt).toHaveBeenCalledTimes(201);
    expect(status.mock.calls.at(0)).toEqual(["Dial 1/inf failed: retrying"]);
    expect(isLast(1_000_000, -1)).toBe(false);
  });
});

test("delays grow from 100 ms by half to 5 s, 11 s in all for ten", () => {
  expect([1, 2, 3].map((failures) => delayBefore(failures))).toEqual([100, 150, 225]);
  expect(delayBefore(30)).toBe(5000);
  const ten = Array.from({ length: 10 }, (_, index) => delayBefore(index + 1));
  expect(ten.reduce((sum, delay) => sum + delay) / 1000).toBeCloseTo(11.3, 1);
});

describe("stops at once", () => {
  test("when cancelled between two dials", async () => {
    const cancelled = new AbortController();
    const never = { firstDelay: 3_600_000, factor: 1, longestDelay: 3_600_000 };
    const result = untilDialled({
      what: "Dial",
      limit: -1,
      pace: never,
      signal: cancelled.signal,
      status: () => queueMicrotask(() => cancelled.abort()),
      attempt: failing(99),
    });
    await expect(result).rejects.toThrow("context canceled");
  });

  test("when the time is over", async () => {
    const { result } = attempts(-1, failing(1_000_000_000), AbortSignal.timeout(1));
    await expect(result).rejects.toThrow("context deadline exceeded");
  });
});
