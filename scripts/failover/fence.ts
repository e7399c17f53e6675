import { spawn } from "node:child_process";
import type { Inventory } from "../../components/model/inventory.ts";
import { addressOf } from "../../components/model/topology.ts";
import { powerOff } from "../lab/lab.ts";
import { UserError } from "../user-error.ts";

type Log = (line: string) => void;

/**
 * Proves that a node is off, in the way its stack says.
 * @throws UserError with exit code 2 if that cannot be proven; then nothing may be promoted.
 */
export async function fence(inventory: Inventory, node: string, byHand: boolean, log: Log): Promise<void> {
  if (byHand) {
    log(`${node} was switched off by hand, you say`);
    return;
  }
  switch (inventory.fence.kind) {
    case "lab":
      await powerOff(inventory.topology.stack, node, log);
      return;
    case "command":
      await runFence(inventory.fence.command, node, addressOf(inventory.topology, node));
      return;
    case "none":
      throw new UserError(
        `${node} does not answer, and nothing can prove that it is off (hosts.fence is none). Switch it off, make sure, and say so: --i-switched-it-off-by-hand [fence.none]`,
        2,
      );
    default:
      inventory.fence satisfies never;
  }
}

function runFence(command: string, node: string, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", command], {
      stdio: ["ignore", 2, "pipe"],
      timeout: 120_000,
      env: { ...process.env, HARBOR_HA_NODE: node, HARBOR_HA_ADDRESS: address },
    });
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0
        ? resolve()
        : reject(
            new UserError(
              `hosts.fence did not confirm that ${node} is off (it ended with ${code}: ${stderr.trim().slice(-300)}). Try again, or switch it off by hand and say so: --i-switched-it-off-by-hand [fence.failed]`,
              2,
            ),
          ),
    );
  });
}
