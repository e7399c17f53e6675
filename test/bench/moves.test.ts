import { expect, test } from "vitest";
import { longestPause, movesTable } from "./moves.ts";

const at = (...times: number[]) => times.map((ended) => ({ ended }));

test("a pause counts when it ends after the event began, also one that was under way", () => {
  expect(longestPause(at(0, 5_000, 5_050, 7_050, 7_100), 5_060)).toBe(2);
  expect(longestPause(at(0, 5_000, 5_100), 1_000)).toBe(5);
});

test("attempts may come in any order, and none is no pause", () => {
  expect(longestPause(at(300, 100, 200), 0)).toBe(0.1);
  expect(longestPause([], 0)).toBe(0);
});

test("the table compares every row with the first", () => {
  const row = { system: "a", event: "switchover", pauses: [2, 1, 3], failed: [0, 4, 1], lost: 0 };
  const [, , first, second] = movesTable([row, { ...row, system: "b", pauses: [8, 6, 7], lost: 2 }]).split("\n");
  expect(first).toBe("| a | switchover | 3 | 2.00 | 3.00 | 1 / 4 | 0 | 1.00 |");
  expect(second).toBe("| b | switchover | 3 | 7.00 | 8.00 | 1 / 4 | 2 | 3.50 |");
});
