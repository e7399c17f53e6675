import { readFileSync } from "node:fs";
import { join } from "node:path";
import spawn, { type SubprocessError } from "nano-spawn";
import { parseSurvey } from "./facts.ts";
import type { Pair } from "./pair.ts";
import type { Visit } from "./rules.ts";

/** A node that hangs is a finding, not a reason to wait for ever. */
const deadlineMs = 120_000;

/** As root, by whichever way this login becomes it. */
const command = 'if [ "$(id -u)" = 0 ]; then exec bash -s; else exec sudo -n bash -s; fi';

/** Asks both nodes at once, with the operator's own ssh and known hosts. */
export async function survey({ nodes }: Pair, sshConfig?: string): Promise<Visit[]> {
  const program = readFileSync(join(import.meta.dirname, "host.sh"), "utf8");
  const options = [...(sshConfig ? ["-F", sshConfig] : []), "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"];
  return Promise.all(
    Object.entries(nodes).map(async ([name, destination]) => {
      const asked = Date.now() / 1000;
      try {
        const { stdout } = await spawn("ssh", [...options, destination, command], {
          stdin: { string: program },
          timeout: deadlineMs,
        });
        const found = parseSurvey(stdout, asked, Date.now() / 1000);
        return found ? { name, found } : { name, reason: "its answer was cut off" };
      } catch (error) {
        const { stderr, message } = error as SubprocessError;
        return { name, reason: stderr?.trim().split("\n").at(-1) || message.split("\n")[0] || "no answer" };
      }
    }),
  );
}
