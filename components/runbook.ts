import type { Inventory } from "./model/inventory.ts";

/** The commands of this stage, for the stack's output. */
export function shortRunbook(inventory: Inventory): string {
  const lab = inventory.topology.target === "lab";
  return [
    "In `npm run shell`:",
    "harbor-ha status                 who is what, and what is wrong",
    "harbor-ha roll                   start what is down, restart what has new settings, in safe order",
    ...(lab
      ? [
          "harbor-ha lab poweroff <node>    cut a host's power",
          "harbor-ha lab poweron <node>     switch it on again, then harbor-ha roll",
        ]
      : []),
    "A standby that is away makes writes wait: bring it back, then harbor-ha roll.",
    "Never promote or start PostgreSQL by hand: roll refuses what it cannot decide, and says why.",
  ].join("\n");
}
