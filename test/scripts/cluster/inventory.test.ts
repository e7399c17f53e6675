import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readInventory } from "../../../scripts/cluster/inventory.ts";

test.each([
  ["nothing", "", /holds no JSON: write it with `pulumi stack output inventory --json/],
  ["no inventory", "null", /is no inventory of this version/],
  ["another one's", '{"version": 99}', /is no inventory of this version/],
])("a file with %s in it is refused in words", async (_, text, words) => {
  const directory = mkdtempSync(join(tmpdir(), "harbor-ha-inventory-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const inventory = join(directory, "inventory.json");
  writeFileSync(inventory, text);
  await expect(readInventory({ inventory })).rejects.toMatchObject({
    name: "UserError",
    message: expect.stringMatching(words),
  });
});

test("a file that is not there is refused in words", async () => {
  await expect(readInventory({ inventory: "/nowhere.json" })).rejects.toMatchObject({
    message: "--inventory /nowhere.json cannot be read (ENOENT)",
    exitCode: 2,
  });
});
