import { afterAll, beforeAll, expect, test } from "vitest";
import { loadWhile } from "../support/load.ts";
import { type Image, makeImage } from "../support/registry.ts";
import { LabStack } from "../support/stack.ts";
import { Writers } from "../support/writers/writers.ts";

// What clients notice of many moves. With HARBOR_HA_INSTALLER it is Harbor's own; MOVES and LOSSES say how many.
const moves = Number(process.env.MOVES ?? 20);
const losses = Number(process.env.LOSSES ?? 5);
let stack: LabStack;
let writers: Writers;
let image: Image;

beforeAll(async () => {
  stack = await LabStack.fresh();
  await stack.ok("npm", "run", "-s", "lab");
  writers = await Writers.start(stack);
  image = makeImage([200_000]);
  await (await stack.registry()).push("library/move", "1", image);
});
afterAll(async () => {
  await writers?.stop();
  await LabStack.remove();
});

const healthy = () => stack.untilStatus("the pair is healthy", ({ healthy }) => healthy, 300);
const primary = () => stack.primary();

test(`${moves} switchovers under load: no client notices`, async () => {
  const harbor = () => Promise.all(["node1", "node2"].map((node) => stack.harborOf(node)));
  const before = await harbor();
  const load = await loadWhile(await stack.registry(), "library/move", image, async () => {
    for (let count = 1; count <= moves; count++) {
      await stack.ok("harbor-ha", "switchover", "--yes");
      await healthy();
    }
  });
  console.error(load.described());
  expect(load.failures()).toEqual([]);
  expect(await harbor()).toEqual(before);
  expect(await writers.lost()).toEqual([]);
});

test(`${losses} failovers under load: requests fail while there is no primary, and none afterwards`, async () => {
  const without: [number, number][] = [];
  const load = await loadWhile(await stack.registry(), "library/move", image, async () => {
    for (let count = 1; count <= losses; count++) {
      const lost = await primary();
      const began = Date.now();
      await stack.ok("harbor-ha", "lab", "poweroff", lost);
      await stack.ok("harbor-ha", "failover", "--yes");
      without.push([began, Date.now()]);
      await stack.ok("harbor-ha", "lab", "poweron", lost);
      await stack.untilStatus("both answer", ({ nodes }) => nodes.every(({ host }) => host));
      await stack.ok("harbor-ha", "rejoin", "--yes");
      await healthy();
    }
  });
  console.error(`${load.described()}\nwithout a primary: ${without.map(([from, to]) => to - from).join(", ")} ms`);
  expect(load.failures(without)).toEqual([]);
  expect(await writers.lost()).toEqual([]);
  expect(writers.twoPrimaries()).toEqual([]);
});
