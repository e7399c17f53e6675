import { expect, test } from "vitest";
import { daysUntilFull } from "../../../scripts/agent/growth.ts";

const day = 86_400_000;
const sample = (days: number, used: Record<string, number>) => ({ at: days * day, used });

test("a file system that fills gets a day, at the pace since the oldest sample", () => {
  const samples = [sample(0, { "/": 0.5, "/data": 0.4 }), sample(1, { "/": 0.9, "/data": 0.4 })];
  expect(daysUntilFull(samples, sample(2, { "/": 0.6, "/data": 0.4 }))["/"]).toBeCloseTo(8);
});

test("nothing is foretold of one that does not grow, is new, or has been seen for less than a day", () => {
  expect(daysUntilFull([sample(0, { "/": 0.5 })], sample(2, { "/": 0.4, "/new": 0.9 }))).toEqual({});
  expect(daysUntilFull([sample(0, { "/": 0.1 })], sample(0.9, { "/": 0.5 }))).toEqual({});
  expect(daysUntilFull([], sample(5, { "/": 0.5 }))).toEqual({});
});
