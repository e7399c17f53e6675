import { spawn } from "node:child_process";

/** What the `check` of a program complains about; empty: nothing. A child with a deadline: a hung share must not hang us. */
export async function complaint(program: string, deadlineMs: number): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(program, ["check"], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    const finish = (reason: string) => {
      clearTimeout(timer);
      resolve(reason);
    };
    // It may be past killing: it is left behind, and ends when what it waits for does something.
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      child.unref();
      child.stderr.destroy();
      finish("it does not answer");
    }, deadlineMs);
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.on("error", () => finish("its check is not there yet"));
    child.on("close", (code) => finish(code === 0 ? "" : stderr.trim() || `its check ended with ${code}`));
  });
}
