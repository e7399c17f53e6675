import { spawn } from "node:child_process";
import type { AgentSettings, NotifyHook } from "../../components/model/agent.ts";
import type { Notice } from "./notices.ts";

const deadlineMs = 30_000;
/** Pauses between attempts; after the last one the notice is given up, and the journal says so. */
const pausesMs = [0, 5_000, 30_000, 120_000];

/** What the hook gets: as JSON on the command's stdin, or as the body of a POST. `text` is all of it for people. */
export interface Message extends Notice {
  stack: string;
  node: string;
  at: string;
  text: string;
}

export function messageOf(notice: Notice, { stack, self }: AgentSettings): Message {
  const text = `harbor-ha ${stack}, ${self.name}: ${notice.sentence}`;
  return { ...notice, stack, node: self.name, at: new Date().toISOString(), text };
}

/**
 * Delivers one message, by every way that is configured.
 * @throws the last failure after so many attempts, without the webhook's address.
 */
export async function deliver(hook: NotifyHook, message: Message, attempts = pausesMs.length): Promise<void> {
  const body = `${JSON.stringify(message)}\n`;
  const ways = [
    ...(hook.command ? [() => runCommand(hook.command as string, body)] : []),
    ...(hook.webhook ? [() => post(hook.webhook as string, body)] : []),
  ];
  for (const way of ways) await withRetries(way, attempts);
}

async function withRetries(attempt: () => Promise<void>, attempts: number): Promise<void> {
  let failure: unknown;
  for (const pause of pausesMs.slice(0, attempts)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    try {
      return await attempt();
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function runCommand(command: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", command], { stdio: ["pipe", "ignore", "pipe"], timeout: deadlineMs });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.stdin.on("error", () => {});
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`the notify command ended with ${code}: ${stderr.trim().slice(-500)}`)),
    );
    child.stdin.end(body);
  });
}

async function post(url: string, body: string): Promise<void> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    signal: AbortSignal.timeout(deadlineMs),
  }).catch((error: Error & { cause?: { code?: string } }) => {
    throw new Error(`the notify webhook could not be reached (${error.cause?.code ?? error.name})`);
  });
  if (!answer.ok) throw new Error(`the notify webhook answered ${answer.status}`);
}
