import { expect } from "vitest";
import { firstLight } from "../support/first-light.ts";
import { leftovers } from "../support/leftovers.ts";
import { testSubnet } from "../support/stack.ts";

firstLight({
  async build(stack) {
    const { stderr } = await stack.ok("npm", "run", "-s", "lab");
    expect(stderr).toContain("Harbor:       https://10.231.78.10");
    expect(stderr).toContain("initialAdminPassword");
  },

  /** No process, mount, bridge or firewall rule is left. */
  async takeDown(stack) {
    await stack.ok("npm", "run", "-s", "lab:down");
    expect(await leftovers(testSubnet)).toEqual([]);
  },
});
