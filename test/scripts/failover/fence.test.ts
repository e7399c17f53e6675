import { describe, expect, test } from "vitest";
import type { Fence } from "../../../components/model/inventory.ts";
import { fence } from "../../../scripts/failover/fence.ts";
import { sampleInventory } from "../../support/sample.ts";

const attempt = (how: Fence, byHand = false) => {
  const said: string[] = [];
  const done = fence({ ...sampleInventory(), fence: how }, "node1", byHand, (line) => said.push(line));
  return done.then(() => said);
};

describe("a lost primary is proven to be off", () => {
  test("by a command that succeeds, which is told which node", async () => {
    const command = 'test "$HARBOR_HA_NODE $HARBOR_HA_ADDRESS" = "node1 10.231.77.11"';
    await expect(attempt({ kind: "command", command })).resolves.toEqual([]);
  });

  test("by a person's word, which is logged", async () => {
    expect(await attempt({ kind: "none" }, true)).toEqual(["node1 was switched off by hand, you say"]);
  });
});

describe("what cannot be proven is refused, with the next thing to try", () => {
  test.each<[Fence, RegExp]>([
    [{ kind: "none" }, /nothing can prove that it is off.*--i-switched-it-off-by-hand \[fence\.none\]/],
    [
      { kind: "command", command: "echo 'no answer from the BMC' >&2; exit 4" },
      /ended with 4: no answer from the BMC\)\. Try again.*\[fence\.failed\]/,
    ],
    [{ kind: "command", command: "kill -9 $$" }, /did not confirm that node1 is off/],
  ])("%j", async (how, words) => {
    await expect(attempt(how)).rejects.toMatchObject({ message: expect.stringMatching(words), exitCode: 2 });
  });
});
