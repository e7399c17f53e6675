import type { Inventory } from "./model/inventory.ts";

/** The commands of this stage, for the stack's output. */
export function shortRunbook(inventory: Inventory): string {
  const lab = inventory.topology.target === "lab";
  return [
    "In `npm run shell`:",
    "harbor-ha status                 who is what, and what is wrong",
    "harbor-ha roll                   start what is down, restart what has new settings, in safe order",
    ...(lab
      ? ["harbor-ha lab poweroff <node>    cut a host's power", "harbor-ha lab poweron <node>     switch it on again"]
      : []),
    "harbor-ha switchover             planned: the standby becomes the primary; no client notices more than a pause",
    "harbor-ha failover               the primary's node is lost: the standby takes over, once the lost node is proven to be off",
    "harbor-ha rejoin                 the lost node is back: it becomes the standby",
    "harbor-ha record show            which node may write, and since when",
    "A node that was off comes back by itself, where the record allows it; status says what stays down, and why.",
    "Never promote PostgreSQL by hand: the agent stops a primary that the record does not name.",
  ].join("\n");
}
