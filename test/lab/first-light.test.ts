import { expect } from "vitest";
import { chaos } from "../chaos/run.ts";
import { firstLight } from "../support/first-light.ts";
import { leftovers } from "../support/leftovers.ts";
import { testSubnet } from "../support/stack.ts";

/** Short ones that the tests above do not have; `npm run chaos` has all of them. */
const fixedFaults = [
  "SIGSTOP PostgreSQL, failover",
  "network of the standby cut",
  "operator suspended, another one takes over, the first wakes",
];

firstLight({
  async build(stack) {
    const { stderr } = await stack.ok("npm", "run", "-s", "lab");
    expect(stderr).toContain("Harbor:       https://10.231.78.10");
    expect(stderr).toContain("initialAdminPassword");
  },

  also: {
    what: "faults, always the same: nothing acknowledged is lost, and documented commands lead back",
    work: (stack) => chaos(stack, 1, fixedFaults.length, fixedFaults),
  },

  /** No process, mount, bridge or firewall rule is left. */
  async takeDown(stack) {
    await stack.ok("npm", "run", "-s", "lab:down");
    expect(await leftovers(testSubnet)).toEqual([]);
  },
});
