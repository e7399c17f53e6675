/** Runs a command on this machine. */
import { spawn } from "node:child_process";
import { statSync } from "node:fs";

import { ownVariables, previousOutput } from "./environment.ts";
import { commandFailed, type Exit, localExit, redaction } from "./error-text.ts";
import { Output } from "./output.ts";
import { type PropertyMap, plain } from "./property-value.ts";
import { Stopped } from "./retry.ts";
import type { Run } from "./run.ts";

export const runLocally: Run = async (command, inputs, previous, { log, signal }) => {
  const values = plain(inputs) as PropertyMap;
  const inStream = redaction(inputs, "stream");
  const output = new Output(values.logging, (line) => log.status(inStream(line)));
  const failed = (reason: string) =>
    new Error(redaction(inputs, "error")(commandFailed(reason, command, output.both())));

  let reason: string | undefined;
  try {
    reason = localExit(await execute(String(plain(command)), values, previous, output, signal));
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  output.end();
  await log.delivered();
  if (reason !== undefined) throw failed(reason);
  return { stdout: output.text("stdout"), stderr: output.text("stderr") };
};

async function execute(
  command: string,
  values: PropertyMap,
  previous: PropertyMap,
  output: Output,
  signal: AbortSignal,
): Promise<Exit> {
  const interpreter = (values.interpreter ?? []) as string[];
  const [program = "", ...args] = [...(interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"]), command];
  const dir = (values.dir as string | undefined) ?? process.cwd();
  const found = statSync(dir, { throwIfNoEntry: false });
  if (found === undefined) throw new Error(`chdir ${dir}: no such file or directory`);
  if (!found.isDirectory()) throw new Error(`fork/exec ${program}: not a directory`);
  if (signal.aborted) throw new Stopped(signal);

  return new Promise<Exit>((resolve, reject) => {
    const stdin = (values.stdin ?? "") as string;
    const env = { ...process.env, ...ownVariables(values), ...previousOutput(values, previous) };
    let child: ReturnType<typeof spawn>;
    try {
      child = spawn(program, args, { cwd: dir, env, stdio: [stdin === "" ? "ignore" : "pipe", "pipe", "pipe"] });
    } catch (error) {
      reject(notStarted(program, error));
      return;
    }
    const kill = () => child.kill("SIGKILL");
    signal.addEventListener("abort", kill, { once: true });
    child.stdout?.on("data", (chunk: Buffer) => output.push("stdout", chunk));
    child.stderr?.on("data", (chunk: Buffer) => output.push("stderr", chunk));
    child.stdin?.on("error", () => {}); // A command need not read its stdin.
    child.stdin?.end(stdin);
    child.on("error", (error) => reject(notStarted(program, error)));
    child.on("close", (code, killedBy) => {
      signal.removeEventListener("abort", kill);
      resolve({ code, signal: killedBy });
    });
  });
}

function notStarted(program: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  if (code === "ENOENT" && !program.includes("/")) {
    return new Error(`exec: ${JSON.stringify(program)}: executable file not found in $PATH`);
  }
  const words: Record<string, string> = {
    E2BIG: "argument list too long",
    EACCES: "permission denied",
    ENOENT: "no such file or directory",
  };
  return new Error(`fork/exec ${program}: ${words[code] ?? code}`);
}
