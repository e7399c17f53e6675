import { afterEach, describe, expect, test, vi } from "vitest";

import { containsSecret, type PropertyMap, plain, secret, UNKNOWN } from "./property-value.ts";
import { create, remove, update } from "./provider.ts";
import { calling, preview, REMOTE } from "./support/calls.ts";
import { type Behaviour, clientKey, sshServer, type TestServer } from "./support/ssh-server.ts";

let server: TestServer;
afterEach(() => server.close());

async function given(behaviour: Behaviour = {}) {
  server = await sshServer(behaviour);
}

/** An operation on a host that must not be dialled. */
const nowhere = secret({ host: "127.0.0.1", port: 1, dialErrorLimit: 0 });
const connected = (inputs: PropertyMap): PropertyMap => ({ connection: secret(server.connection()), ...inputs });
const run = async (inputs: PropertyMap) => (await create(REMOTE, connected(inputs), calling())).outputs;

describe("create", () => {
  test("keeps inputs and what was printed, and the connection secret", async () => {
    await given();
    const { id, outputs } = await create(REMOTE, connected({ create: "echo out; echo err >&2" }), calling());
    expect(id).toMatch(/^greeting[0-9a-f]{8}$/);
    expect(outputs).toMatchObject({ stdout: "out", stderr: "err" });
    expect(plain(outputs.connection)).toEqual(server.connection());
    expect(containsSecret(outputs.connection)).toBe(true);
    expect(server.commands).toEqual(["echo out; echo err >&2"]);
  });

  test("without a command dials nobody", async () => {
    await given();
    const { outputs } = await create(REMOTE, { connection: nowhere }, calling());
    expect(outputs).toMatchObject({ stdout: "", stderr: "" });
  });

  test("that fails says so with command and output", async () => {
    await given();
    await expect(run({ create: "echo out; exit 7" })).rejects.toThrow(
      /^Process exited with status 7: running "echo out; exit 7":\nout\n$/,
    );
  });

  test("that prints what is not UTF-8 fails", async () => {
    await given();
    await expect(run({ create: "printf '\\377'" })).rejects.toThrow("invalid UTF-8");
  });

  test("never tells stdin, keys or passphrases", async () => {
    await given();
    const connection = secret(server.connection({ password: "open-sesame" }));
    const stdin = `${clientKey.private}\nopen-sesame\n`;
    const failure = create(REMOTE, { connection, stdin, create: "cat; exit 1" }, calling());
    await expect(failure).rejects.toThrow(/^Process exited with status 1: running "cat; exit 1":\n\[secret\]\n$/);
    const partly = create(REMOTE, { connection, stdin, create: "tail -n 1; exit 1" }, calling());
    await expect(partly).rejects.toThrow('running "tail -n 1; exit 1":\n[secret]\n');
  });
});

describe("the session", () => {
  test("ended by a signal, or by nothing, is a failure", async () => {
    await given({
      execute(command, channel, connection) {
        if (command === "signal") channel.exit("TERM", false, "");
        if (command === "lost") connection.end();
        else channel.end();
        return true;
      },
    });
    await expect(run({ create: "signal" })).rejects.toThrow("Process exited with status 143 from signal TERM");
    const words = "wait: remote command exited without exit status or exit signal: running";
    await expect(run({ create: "nothing" })).rejects.toThrow(words);
    await expect(run({ create: "lost" })).rejects.toThrow(words);
  });

  test("carries stdin of any size, read or not, or none", async () => {
    await given();
    expect((await run({ create: "cat", stdin: "a\nb\n" })).stdout).toBe("a\nb");
    expect((await run({ create: "wc -c", stdin: "x".repeat(3_000_000) })).stdout).toMatch(/^\s*3000000$/);
    expect((await run({ create: "true", stdin: "x".repeat(3_000_000) })).stdout).toBe("");
    expect((await run({ create: "cat; echo end" })).stdout).toBe("end");
  });

  test("may print a line of 200 kB without stopping anything", async () => {
    await given();
    const call = calling();
    const { outputs } = await create(REMOTE, connected({ create: "head -c 200000 /dev/zero | tr '\\0' x" }), call);
    expect(outputs.stdout).toHaveLength(200_000);
    expect(call.log.texts("status").join("")).toHaveLength(200_000);
  });

  test("streams what logging asks for", async () => {
    await given();
    const call = calling();
    await create(REMOTE, connected({ create: "echo a; echo b >&2", logging: "stderr" }), call);
    expect(call.log.texts("status")).toEqual(["b"]);
  });
});

describe("environment", () => {
  test("goes through the session", async () => {
    await given();
    expect((await run({ create: "echo $A $B", environment: { A: "1", B: secret("2") } })).stdout).toBe("1 2");
  });

  test("a variable that is refused is fatal, and nothing runs", async () => {
    await given({ accepts: (variable) => variable !== "B" });
    const call = calling();
    const inputs = connected({ create: "true", environment: { A: "1", B: "2" } });
    await expect(create(REMOTE, inputs, call)).rejects.toThrow(
      'could not set environment variable "B": ssh: setenv failed',
    );
    expect(call.log.texts("error")).toHaveLength(1);
    expect(server.commands).toEqual([]);
  });

  test("holds the last output on update and delete, not on create", async () => {
    await given();
    const old = connected({ stdout: "printed", stderr: "" });
    await run({ create: "true" });
    expect(server.variables).toEqual({});
    const news = connected({ create: 'echo "<$PULUMI_COMMAND_STDOUT>"' });
    expect((await update(REMOTE, old, news, calling())).stdout).toBe("<printed>");
    expect(server.variables).toEqual({ PULUMI_COMMAND_STDOUT: "printed" });
    await remove(REMOTE, { ...old, delete: "true", stdout: "last" }, calling());
    expect(server.variables).toEqual({ PULUMI_COMMAND_STDOUT: "last" });
  });

  test("does not hold it when told so", async () => {
    await given();
    const old = connected({ stdout: "printed", stderr: "" });
    await update(REMOTE, old, connected({ create: "true", addPreviousOutputInEnv: false }), calling());
    expect(server.variables).toEqual({});
  });

  test("a last output that is refused only warns, once for each variable", async () => {
    await given({ accepts: () => false });
    const call = calling();
    const old = connected({ stdout: "printed", stderr: "warned" });
    const { stdout } = await update(REMOTE, old, connected({ create: "echo done" }), call);
    expect(stdout).toBe("done");
    expect(call.log.texts("warn")).toEqual([
      expect.stringContaining("PULUMI_COMMAND_STDOUT"),
      expect.stringContaining("PULUMI_COMMAND_STDERR"),
    ]);
  });
});

describe("update and delete", () => {
  test("update runs update if there is one, else create; with neither it dials nobody", async () => {
    await given();
    const old = connected({ create: "echo a", stdout: "a", stderr: "" });
    expect((await update(REMOTE, old, connected({ create: "echo c", update: "echo u" }), calling())).stdout).toBe("u");
    expect((await update(REMOTE, old, connected({ create: "echo c" }), calling())).stdout).toBe("c");
    expect((await update(REMOTE, old, { connection: nowhere }, calling())).stdout).toBe("a");
  });

  test("delete uses the old state: its command, its connection", async () => {
    await given();
    await remove(REMOTE, connected({ delete: "echo bye", stdout: "", stderr: "" }), calling());
    expect(server.commands).toEqual(["echo bye"]);
    await remove(REMOTE, { connection: nowhere, stdout: "", stderr: "" }, calling());
    await expect(remove(REMOTE, connected({ delete: "exit 5" }), calling())).rejects.toThrow("status 5");
  });

  test("every operation dials anew", async () => {
    await given();
    await run({ create: "true" });
    await update(REMOTE, connected({ stdout: "", stderr: "" }), connected({ create: "true" }), calling());
    await remove(REMOTE, connected({ delete: "true" }), calling());
    expect(server.dials).toHaveLength(3);
  });

  test("preview dials nobody", async () => {
    await given();
    const { outputs } = await create(REMOTE, { connection: nowhere, create: "true" }, preview());
    expect(outputs.stdout).toBe(UNKNOWN);
    const old = { connection: nowhere, create: "true", stdout: "a", stderr: "" };
    expect((await update(REMOTE, old, { ...old, create: "false" }, preview())).stdout).toBe(UNKNOWN);
  });
});

describe("cancel", () => {
  test("has no effect on a command that runs", async () => {
    const cancelled = new AbortController();
    let finish = () => {};
    await given({
      execute(_command, channel) {
        finish = () => {
          channel.write("done\n");
          channel.exit(0);
          channel.end();
        };
        return true;
      },
    });
    const result = create(REMOTE, connected({ create: "long" }), calling({ signal: cancelled.signal }));
    await vi.waitFor(() => expect(server.commands).toEqual(["long"]));
    cancelled.abort();
    finish();
    expect((await result).outputs.stdout).toBe("done");
  });

  test("ends dialling at once", async () => {
    await given();
    const cancelled = new AbortController();
    const call = calling({ signal: cancelled.signal });
    const connection = secret(server.connection({ port: 1, dialErrorLimit: -1 }));
    const result = create(REMOTE, { connection, create: "true" }, call);
    result.catch(() => {});
    await vi.waitFor(() => expect(call.log.texts("status")).toContain("Dial 1/inf failed: retrying"));
    cancelled.abort();
    await expect(result).rejects.toThrow(/^context canceled$/);
  });
});
