/** Child processes: started by nano-spawn, failing with a sentence, and never left behind where that would hurt. */
import type { Options } from "nano-spawn";
import spawn, { SubprocessError } from "nano-spawn";
import { LabError } from "./errors.ts";

export type RunOptions = Omit<Options, "stdin"> & {
  /** Text for standard input; without it the child reads nothing. */
  input?: string;
  /** Let it finish when this process is killed. For what must not be interrupted, such as apt on the machine. */
  outlives?: boolean;
};

/** Runs to the end and gives what it printed on standard output. When this process is killed, so is the child. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input, outlives, ...rest } = options;
  const [file, ...tied] = outlives ? [command] : ["setpriv", "--pdeathsig", "KILL", "--", command];
  try {
    const stdin = input === undefined ? "ignore" : { string: input };
    const result = await spawn(file, [...tied, ...args], { ...rest, stdin, env: { LC_ALL: "C.UTF-8", ...rest.env } });
    return result.stdout;
  } catch (error) {
    if (!(error instanceof SubprocessError)) throw error;
    throw new LabError(describeFailure(command, args, error));
  }
}

/** For questions whose answer is the exit code. */
export async function succeeds(command: string, args: readonly string[], options: RunOptions = {}): Promise<boolean> {
  return run(command, args, options).then(
    () => true,
    () => false,
  );
}

/** Also what the child started ends with this process, and what it mounted goes: it runs in process and mount
 * namespaces of its own. For long work that the next run would trip over. */
export async function runContained(command: string, args: readonly string[], options: RunOptions = {}) {
  const namespaces = ["--pid", "--fork", "--kill-child=KILL", "--mount", "--mount-proc", "--propagation", "slave"];
  return run("unshare", [...namespaces, "--", command, ...args], options);
}

export async function sleep(milliseconds: number): Promise<void> {
  await new Promise((done) => setTimeout(done, milliseconds));
}

function describeFailure(command: string, args: readonly string[], error: SubprocessError): string {
  const shown = [command, ...args].join(" ").replaceAll(/\/\/[^/@\s]+@/g, "//***@");
  const reason = error.signalName ? `was ended by ${error.signalName}` : `failed (${error.exitCode ?? error.message})`;
  const tail = error.output
    .trim()
    .split("\n")
    .slice(-15)
    .join("\n")
    .replaceAll(/\/\/[^/@\s]+@/g, "//***@");
  return `\`${shown}\` ${reason}${tail ? `:\n${tail}` : ""}`;
}
