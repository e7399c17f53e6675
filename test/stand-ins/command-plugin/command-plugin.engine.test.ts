/** The plugin under the real engine; needs `pulumi` and its language host on PATH, where `npm run test:lab` puts them. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { type Engine, startEngine } from "./support/engine.ts";
import { clientKey, sshServer, type TestServer } from "./support/ssh-server.ts";

describe("under the engine", { timeout: 60_000 }, () => {
  let server: TestServer;
  let engine: Engine;
  let removeEngine: () => Promise<void>;
  beforeAll(async () => {
    server = await sshServer();
    ({ engine, remove: removeEngine } = await startEngine());
  }, 60_000);
  afterAll(async () => {
    await server?.close();
    await removeEngine?.();
  });

  /** A command that says in a file that it ran. */
  const mark = (word: string, file = "ran") => `echo ${word} >> ${engine.file(file)}`;
  const here = (args: object, name = "here") => ({ [name]: { kind: "local" as const, args: { ...args } } });

  test("a preview says what the plugin is, runs nothing, and knows no output", async () => {
    const { code, text } = await engine.preview(here({ create: mark("created") }));
    expect(text).toContain("A stand-in for pulumi-resource-command 1.2.1");
    expect(text).toMatch(/id\s*: "here[0-9a-f]{8}"/);
    expect(text).toMatch(/stdout: \[unknown\]/);
    expect(code).toBe(0);
    expect(await engine.content("ran")).toBe("");
  });

  test("commands run here and there, once", async () => {
    const connection = server.connection({ hostKey: server.hostKey });
    const wanted = {
      ...here({ create: mark("created", "once"), stdin: { $secret: "stdin-secret" } }),
      there: { kind: "remote" as const, args: { connection, create: "echo hello" } },
      now: { kind: "run" as const, args: { command: "echo now" } },
    };
    const first = await engine.up(wanted);
    expect(first.code, first.text).toBe(0);
    const { text, resources } = await engine.state();
    expect(resources.there?.outputs.stdout).toBe("hello");
    expect(resources.there?.outputs.connection).toHaveProperty("ciphertext");
    expect(resources.there?.inputs.connection).toHaveProperty("ciphertext");
    expect(text).not.toContain("stdin-secret");
    expect(text).not.toContain("OPENSSH PRIVATE KEY");

    expect((await engine.up(wanted)).text).toMatch(/3 unchanged/);
    expect((await engine.pulumi("refresh", "--yes", "--skip-preview")).code).toBe(0);
    expect(await engine.content("once")).toBe("created\n");
    expect(server.commands).toEqual(["echo hello"]);
  });

  test("a preview with a connection not yet known passes, the update uses it", async () => {
    const { port, ...connection } = server.connection();
    const wanted = {
      address: { kind: "local" as const, args: { create: `echo ${connection.host}` } },
      there: {
        kind: "remote" as const,
        args: { connection: { ...connection, port, host: { $stdoutOf: "address" } }, create: "echo late" },
      },
    };
    expect((await engine.preview(wanted)).code).toBe(0);
    expect((await engine.up(wanted)).code).toBe(0);
    expect((await engine.state()).resources.there?.outputs.stdout).toBe("late");
  });

  test("a failed create leaves no state; a failed update keeps the old one and is tried again", async () => {
    const failed = await engine.up({ fresh: { kind: "local", args: { create: "echo no; exit 7" } } });
    expect(failed.code).not.toBe(0);
    expect(failed.text).toContain('exit status 7: running "echo no; exit 7":');
    expect((await engine.state()).resources).not.toHaveProperty("fresh");

    await engine.up(here({ create: mark("good", "tries") }));
    const bad = here({ create: `${mark("bad", "tries")}; exit 1` });
    await engine.up(bad);
    expect((await engine.state()).resources.here?.inputs.create).toBe(mark("good", "tries"));
    await engine.up(bad);
    expect(await engine.content("tries")).toBe("good\nbad\nbad\n");
  });

  test("a value that turns secret runs the command, with the last output", async () => {
    const create = `echo printed; echo "<$PULUMI_COMMAND_STDOUT>" >> ${engine.file("marked")}`;
    await engine.up(here({ create }));
    await engine.up(here({ create: { $secret: create } }));
    expect(await engine.content("marked")).toBe("<>\n<printed>\n");
    expect((await engine.state()).resources.here?.outputs.stdout).toBe("printed");
  });

  test("triggers create anew, then run the old state's delete, even with update set", async () => {
    const command = (version: number) => ({
      create: `echo "create ${version} <$PULUMI_COMMAND_STDOUT>" >> ${engine.file("order")}; echo out`,
      update: mark("update", "order"),
      delete: mark(`delete ${version}`, "order"),
      triggers: [version],
    });
    await engine.up(here(command(1)));
    await engine.up(here(command(2)));
    expect(await engine.content("order")).toMatch(
      /update\ncreate 2 <>\ndelete 1\n$|create 1 <>\ncreate 2 <>\ndelete 1\n$/,
    );
  });

  test("a wrong connection is refused without the key", async () => {
    const connection = { privateKey: clientKey.private, password: "hunter2" };
    const { code, text } = await engine.up({ there: { kind: "remote", args: { connection, create: "true" } } });
    expect(code).not.toBe(0);
    expect(text).toContain("connection.host: Missing required field 'host' on 'remote.Connection'");
    expect(text).not.toContain("hunter2");
    expect(text).not.toContain("PRIVATE KEY");
  });

  test("neither a long line nor a long error stops anything", async () => {
    const line = (bytes: number) => `head -c ${bytes} /dev/zero | tr '\\0' x`;
    expect((await engine.up(here({ create: line(1_000_000) }, "line"))).code).toBe(0);
    const { code, text } = await engine.up(here({ create: `${line(20_000_000)}; exit 3`, logging: "none" }, "error"));
    expect(code).not.toBe(0);
    expect(text).toContain("exit status 3: running");
    expect(text).toContain("characters are left out]");
  });

  test("the first Ctrl-C kills a local shell", async () => {
    await engine.want(here({ create: `${mark("started", "cancelled")}; exec sleep 600` }, "cancelled"));
    const { child, result } = engine.start("up", "--yes", "--skip-preview");
    await vi.waitFor(async () => expect(await engine.content("cancelled")).toBe("started\n"), 30_000);
    child.kill("SIGINT");
    const { code, text } = await result;
    expect(code).not.toBe(0);
    expect(text).toContain("signal: killed");
  });

  test("a failed delete stays in the state", async () => {
    const unlock = engine.file("unlocked");
    const locked = here({ create: "true", delete: `test -e ${unlock}` }, "locked");
    await engine.up(locked);
    expect((await engine.destroy()).code).not.toBe(0);
    expect((await engine.state()).resources).toHaveProperty("locked");
    await engine.up({ ...locked, ...here({ create: `touch ${unlock}` }, "key") });
    expect((await engine.destroy()).code).toBe(0);
    expect((await engine.state()).resources).toEqual({});
  });
});
