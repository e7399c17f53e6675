import { setTimeout as sleep } from "node:timers/promises";
import type { LabStack } from "../support/stack.ts";

// What an operator does who has only `harbor-ha status` and the runbook.

/** After this time nothing leads on. */
const limitMs = 600_000;
/** As long as things may mend themselves before somebody acts. */
const patienceMs = 45_000;

/**
 * Leads the pair back to healthy by documented commands alone. @returns the commands that were needed.
 * @throws if none leads on.
 */
export async function leadBack(stack: LabStack): Promise<string[]> {
  const commands: string[] = [];
  const began = Date.now();
  let acted = Date.now();
  const run = async (...args: string[]) => {
    commands.push(args.join(" "));
    const { code, stderr } = await stack.harborHa(...args);
    if (code !== 0) console.error(`  ${args.join(" ")} ended with ${code}: ${stderr.trim().split("\n").at(-1)}`);
    acted = Date.now();
  };
  for (;;) {
    const { healthy, findings, nodes, record, text } = await stack.status();
    if (healthy) return commands;
    if (Date.now() - began > limitMs) throw new Error(`no documented command leads on:\n${text}`);
    const has = (id: string) => findings.some((finding) => finding.id === id);
    const off = nodes.find(({ reach }) => reach !== "up");
    const waited = Date.now() - acted > patienceMs;
    if (off) await run("lab", "poweron", off.name);
    else if (has("record.under-way") && record) await run("failover", "--yes", "--to", record.primary);
    else if (has("boot.other-primary") || has("boot.other-timeline")) await run("rejoin", "--yes");
    else if (waited && has("postgres.standby-away")) await run("rejoin", "--yes");
    else if (waited) await run("roll", "--yes");
    else await sleep(500);
  }
}
