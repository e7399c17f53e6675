import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { containsSecret, type PropertyMap, secret, UNKNOWN } from "./property-value.ts";
import { create, invoke, read, remove, update } from "./provider.ts";
import { calling, LOCAL, preview } from "./support/calls.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "command-"));
});
afterEach(() => rm(directory, { recursive: true }));

const file = (name: string) => join(directory, name);
const content = (name: string) => readFile(file(name), "utf8");
const run = async (inputs: PropertyMap) => (await create(LOCAL, inputs, calling())).outputs;

describe("create", () => {
  test("keeps inputs and what was printed", async () => {
    const { id, outputs } = await create(LOCAL, { create: "echo out; echo err >&2" }, calling());
    expect(id).toMatch(/^greeting[0-9a-f]{8}$/);
    expect(outputs).toEqual({ create: "echo out; echo err >&2", stdout: "out", stderr: "err" });
  });

  test("without a command runs none", async () => {
    expect(await run({ delete: "exit 1" })).toEqual({ delete: "exit 1", stdout: "", stderr: "" });
  });

  test("that fails says so with command and output", async () => {
    await expect(run({ create: "echo out; exit 7" })).rejects.toThrow(
      /^exit status 7: running "echo out; exit 7":\nout\n$/,
    );
    await expect(run({ create: "kill -TERM $$" })).rejects.toThrow('signal: terminated: running "kill -TERM $$":\n');
  });

  test("that prints what is not UTF-8 fails", async () => {
    await expect(run({ create: "printf '\\377'" })).rejects.toThrow("invalid UTF-8");
  });

  test("does not make its output secret, and keeps the marks of its inputs", async () => {
    const { stdout, create: command, stdin } = await run({ create: secret("cat"), stdin: secret("a") });
    expect(stdout).toBe("a");
    expect(containsSecret(command) && containsSecret(stdin)).toBe(true);
  });

  test("never tells a secret command, stdin or secret variables", async () => {
    const inputs = {
      create: secret("echo hunter2; cat; echo $TOKEN; exit 1"),
      stdin: "from-stdin\n",
      environment: { TOKEN: secret("the-token") },
    };
    await expect(run(inputs)).rejects.toThrow(
      /^exit status 1: running "\[secret\]":\nhunter2\n\[secret\]\n\[secret\]\n$/,
    );
  });
});

describe("the process", () => {
  test("gets stdin, or an empty one", async () => {
    expect((await run({ create: "cat", stdin: "a\nb" })).stdout).toBe("a\nb");
    expect((await run({ create: "cat; echo end" })).stdout).toBe("end");
    expect((await run({ create: "true", stdin: "x".repeat(1_000_000) })).stdout).toBe("");
  });

  test("inherits the whole environment and gets its own beside it", async () => {
    vi.stubEnv("FROM_OUTSIDE", "outside");
    const { stdout } = await run({ create: "echo $FROM_OUTSIDE $OWN", environment: { OWN: secret("own") } });
    vi.unstubAllEnvs();
    expect(stdout).toBe("outside own");
  });

  test("runs where and with what it is told", async () => {
    expect((await run({ create: "pwd", dir: directory })).stdout).toBe(directory);
    expect((await run({ create: "1+1", interpreter: ["/bin/echo", "-n"] })).stdout).toBe("1+1");
    await expect(run({ create: "pwd", dir: file("none") })).rejects.toThrow(
      /^chdir .*none: no such file or directory: running "pwd"/,
    );
    await expect(run({ create: "x", interpreter: ["no-such-shell"] })).rejects.toThrow(
      'exec: "no-such-shell": executable file not found in $PATH: running "x":',
    );
    await expect(run({ create: "x", interpreter: ["/no/shell"] })).rejects.toThrow("fork/exec /no/shell: no such file");
  });

  test("streams line by line what logging asks for", async () => {
    const call = calling();
    await create(LOCAL, { create: "echo a; echo b >&2; printf c", logging: "stdout" }, call);
    expect(call.log.texts("status")).toEqual(["a", "c"]);
  });

  test("may print a line of 200 kB without stopping anything", async () => {
    const call = calling();
    const { outputs } = await create(LOCAL, { create: "head -c 200000 /dev/zero | tr '\\0' x" }, call);
    expect(outputs.stdout).toHaveLength(200_000);
    expect(call.log.texts("status").join("")).toHaveLength(200_000);
  });

  test("streams no secret values", async () => {
    const call = calling();
    await create(LOCAL, { create: "cat", stdin: secret("user=a\npassword=hunter2\n") }, call);
    expect(call.log.texts("status")).toEqual(["user=a", "[secret]"]);
  });
});

describe("update", () => {
  const old = { create: "echo old", stdout: "printed", stderr: "warned" };

  test("runs update if there is one, else create", async () => {
    expect((await update(LOCAL, old, { create: "echo c", update: "echo u" }, calling())).stdout).toBe("u");
    expect((await update(LOCAL, old, { create: "echo c", delete: "changed" }, calling())).stdout).toBe("c");
  });

  test("with neither keeps the old outputs", async () => {
    expect(await update(LOCAL, old, { logging: "none" }, calling())).toEqual({
      logging: "none",
      stdout: "printed",
      stderr: "warned",
    });
  });

  test("gets the last output in its environment, unless refused", async () => {
    const news = { create: 'echo "<$PULUMI_COMMAND_STDOUT $PULUMI_COMMAND_STDERR>"' };
    expect((await update(LOCAL, old, news, calling())).stdout).toBe("<printed warned>");
    const without = { ...news, addPreviousOutputInEnv: false };
    expect((await update(LOCAL, old, without, calling())).stdout).toBe("< >");
  });

  test("breaks on 200 kB of it", async () => {
    const large = { ...old, stdout: "x".repeat(200_000) };
    await expect(update(LOCAL, large, { create: "true" }, calling())).rejects.toThrow(
      'fork/exec /bin/sh: argument list too long: running "true":',
    );
  });

  test("that fails yields no new state", async () => {
    await expect(update(LOCAL, old, { create: "exit 4" }, calling())).rejects.toThrow("exit status 4");
  });
});

describe("delete", () => {
  test("uses the old state: its command, its output", async () => {
    const state = { delete: `echo $PULUMI_COMMAND_STDOUT > ${file("gone")}`, stdout: "printed", stderr: "" };
    await remove(LOCAL, state, calling());
    expect(await content("gone")).toBe("printed\n");
  });

  test("without a command runs none; one that fails says so", async () => {
    await remove(LOCAL, { create: "exit 1", stdout: "", stderr: "" }, calling());
    await expect(remove(LOCAL, { delete: "exit 9" }, calling())).rejects.toThrow("exit status 9");
  });
});

describe("preview", () => {
  test("of a create runs nothing; its id is provisional, its output unknown", async () => {
    const inputs = { create: `touch ${file("made")}` };
    const first = await create(LOCAL, inputs, preview());
    const second = await create(LOCAL, inputs, preview());
    expect(first.outputs).toEqual({ ...inputs, stdout: UNKNOWN, stderr: UNKNOWN });
    expect(first.id).not.toBe(second.id);
    await expect(content("made")).rejects.toThrow("ENOENT");
  });

  test("of an update runs nothing; its output is unknown when anything changes", async () => {
    const old = { create: "echo a", stdout: "a", stderr: "" };
    const outputs = async (news: PropertyMap) => (await update(LOCAL, old, news, preview())).stdout;
    expect(await outputs({ create: "exit 1" })).toBe(UNKNOWN);
    expect(await outputs({ create: secret("echo a") })).toBe(UNKNOWN);
    expect(await outputs({ create: UNKNOWN })).toBe(UNKNOWN);
    expect(await outputs({ create: "echo a", delete: "x" })).toBe(UNKNOWN);
    expect(await outputs({})).toBe(UNKNOWN);
    expect(await outputs({ create: "echo a" })).toBe("a");
  });
});

test("a refresh gives back what it was given", () => {
  const state = { create: "exit 1", stdout: "a", stderr: "" };
  expect(read(state, { create: "exit 1" })).toEqual({ state, inputs: { create: "exit 1" } });
});

describe("cancel", () => {
  test("kills the shell; its children live on", async () => {
    const cancelled = new AbortController();
    const child = `(echo $$ > ${file("shell")}; read line < ${file("pipe")}; echo lived > ${file("child")}) >/dev/null 2>&1 &`;
    const command = `mkfifo ${file("pipe")}; ${child} echo started; wait`;
    const call = calling({ signal: cancelled.signal });
    const result = create(LOCAL, { create: command }, call);
    result.catch(() => {});
    await vi.waitFor(() => expect(call.log.texts("status")).toContain("started"));
    cancelled.abort();
    await expect(result).rejects.toThrow(/^signal: killed: running /);
    await run({ create: `echo go > ${file("pipe")}` });
    await vi.waitFor(async () => expect(await content("child")).toBe("lived\n"));
  });

  test("so does the end of the time given", async () => {
    const call = calling({ signal: AbortSignal.timeout(20) });
    await expect(create(LOCAL, { create: "exec sleep 60" }, call)).rejects.toThrow("signal: killed");
  });
});

describe("local.run", () => {
  test("runs and returns inputs and outputs", async () => {
    const { outputs } = await invoke("command:local:run", { command: "echo $A", environment: { A: "1" } }, calling());
    expect(outputs).toEqual({ command: "echo $A", environment: { A: "1" }, stdout: "1", stderr: "" });
  });

  test("needs a command, and fails with it", async () => {
    const { failures } = await invoke("command:local:run", {}, calling());
    expect(failures[0]?.reason).toBe("Missing required field 'command' on 'local.RunInputs'");
    await expect(invoke("command:local:run", { command: "exit 3" }, calling())).rejects.toThrow("exit status 3");
  });
});
