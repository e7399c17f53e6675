import { spawn } from "node:child_process";
import { type Inventory, presentNodes } from "../../components/model/inventory.ts";
import { addressOf } from "../../components/model/topology.ts";
import { CloudFault, type Pace } from "../aliyun/cloud-api.ts";
import type { Diagnosis } from "../doctor/rules.ts";
import { powerOff } from "../lab/lab.ts";
import { UserError } from "../user-error.ts";
import { stopInstance, tryInstance } from "./ecs-fence.ts";

type Log = (line: string) => void;

/**
 * Proves that a node is off, in the way its stack says.
 * @throws UserError with exit code 2 if that cannot be proven; then nothing may be promoted.
 */
export async function fence(inventory: Inventory, node: string, byHand: boolean, log: Log, pace?: Pace): Promise<void> {
  if (byHand) {
    log(`${node} was switched off by hand, you say`);
    return;
  }
  const address = addressOf(inventory.topology, node);
  switch (inventory.fence.kind) {
    case "lab":
      await powerOff(inventory.topology.stack, node, log);
      return;
    case "command":
      await runFence(inventory.fence.command, node, address);
      return;
    case "aliyun":
      await stopInstance(inventory.fence, { name: node, address }, log, pace).catch((error) => {
        throw error instanceof CloudFault ? unproven(node, error) : error;
      });
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

/** What would keep the fence from working on the day it is needed; changes nothing. A command cannot be tried. */
export async function checkFence(inventory: Inventory, pace?: Pace): Promise<Diagnosis[]> {
  const { fence } = inventory;
  if (fence.kind !== "aliyun") return [];
  const checks = presentNodes(inventory).map(async ({ name, address }): Promise<Diagnosis[]> => {
    const about = (id: string, severity: Diagnosis["severity"], sentence: string, remedy: string) => [
      { id, severity, node: name, sentence, remedy },
    ];
    try {
      const status = await tryInstance(fence, { name, address }, pace);
      if (status === "Running") return [];
      const start = `aliyun ecs StartInstance --RegionId ${fence.region} --InstanceId ${fence.instances[name]}`;
      return about(
        "fence.instance-off",
        "notice",
        `${name}: its instance is ${status}`,
        `${start}, or the ECS console`,
      );
    } catch (error) {
      if (!(error instanceof CloudFault)) throw error;
      const sentence = `hosts.fence could not switch ${name} off: ${error.message}`;
      return about("fence.not-working", "warning", sentence, error.remedy);
    }
  });
  return (await Promise.all(checks)).flat();
}

const unproven = (node: string, { id, message, remedy }: CloudFault) =>
  new UserError(
    `${node} is not proven to be off: ${message}. Next: ${remedy}; or switch it off by hand, make sure, and say so: --i-switched-it-off-by-hand [${id}]`,
    2,
  );

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
