/** Locks between processes. The kernel gives them back when the holder ends, however it ends. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import spawn from "nano-spawn";
import { LabError } from "./errors.ts";

export type LockMode = "exclusive" | "shared";
type Log = (line: string) => void;

/** Node has no flock(2), so a shell holds it, until its standard input ends, which happens at the latest with us.
 * The lock's file may be removed by its holder; a waiter notices that its file is no longer the one at the path. */
const holder = `
while :; do
  exec 9>>"$1"
  flock "$2" --nonblock 9 || { echo waiting; setpriv --pdeathsig KILL flock "$2" 9; }
  [ "$(stat -c %i "$1" 2>/dev/null)" = "$(stat -L -c %i /proc/self/fd/9)" ] && break
done
echo locked
exec cat >/dev/null`;

/** Waits for the lock, saying so once, runs the work and releases. */
export async function withLock<T>(
  path: string,
  mode: LockMode,
  subject: string,
  log: Log,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const holding = spawn("setpriv", ["--pdeathsig", "KILL", "--", "sh", "-c", holder, "sh", path, `--${mode}`]);
  const child = await holding.nodeChildProcess;
  const ended = holding.then(
    () => undefined,
    () => undefined,
  );
  try {
    await new Promise<void>((locked, failed) => {
      let said = false;
      child.stdout?.on("data", (chunk: Buffer) => {
        const text = chunk.toString();
        if (text.includes("locked")) return locked();
        if (text.includes("waiting") && !said) {
          said = true;
          log(`Another command is working on ${subject}; waiting for it to end`);
        }
      });
      ended.then(() => failed(new LabError(`Cannot lock ${path}; is its directory writable?`)));
    });
    return await work();
  } finally {
    child.stdin?.end();
    await ended;
  }
}
