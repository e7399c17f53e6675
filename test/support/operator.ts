import { once } from "node:events";
import { createInterface } from "node:readline";
import type { LabStack } from "./stack.ts";

/**
 * Ends or suspends `harbor-ha` when it says its step `count`. @returns what it said last, and for a suspended one what wakes
 * it and waits for its exit code; nothing if it came to its end before.
 */
export async function stoppedAt(
  stack: LabStack,
  count: number,
  signal: "SIGKILL" | "SIGSTOP",
  ...args: string[]
): Promise<{ said: string; wake: () => Promise<number> } | undefined> {
  const child = stack.start("harbor-ha", ...args);
  const ended = once(child, "close");
  // Nobody reads what a woken one says.
  child.stdout?.resume();
  const stderr = child.stderr as NonNullable<typeof child.stderr>;
  let seen = 0;
  for await (const line of createInterface({ input: stderr })) {
    if (!/^\[ *\d/.test(line)) continue;
    seen++;
    if (seen < count) continue;
    child.kill(signal);
    if (signal === "SIGKILL") await ended;
    return {
      said: line,
      async wake() {
        stderr.resume();
        child.kill("SIGCONT");
        const [code] = await ended;
        return code ?? 1;
      },
    };
  }
  await ended;
  return undefined;
}
