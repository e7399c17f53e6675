// The one documented shell: `npm run shell` opens it, `npm run -s shell -- pulumi up --yes` runs one command in it.
import { spawn } from "node:child_process";
import { runProgram } from "../run-program.ts";
import { UserError } from "../user-error.ts";
import { stackEnvironment } from "./environment.ts";

await runProgram(async () => {
  const stack = process.env.PULUMI_STACK ?? "lab";
  const env = await stackEnvironment(stack, (line) => console.error(line));
  const [command = process.env.SHELL ?? "/bin/sh", ...args] = process.argv.slice(2);
  if (process.argv.length === 2) console.error(`Stack ${stack}: pulumi and harbor-ha are on PATH; leave with exit.`);
  const child = spawn(command, args, { stdio: "inherit", env });
  return await new Promise<number>((resolve, reject) => {
    child.on("error", (error) => reject(new UserError(`${command}: ${error.message}`)));
    child.on("exit", (code, signal) => resolve(signal ? 1 : (code ?? 1)));
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  });
});
