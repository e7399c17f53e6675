import { describe, expect, test } from "vitest";

import { commandFailed, LONGEST_OUTPUT, localExit, quoted, redaction, remoteExit } from "./error-text.ts";
import { secret } from "./property-value.ts";

describe("the text of a failure", () => {
  test("holds reason, command and all output", () => {
    expect(commandFailed("exit status 7", 'echo "a"', "out\nerr\n")).toBe(
      'exit status 7: running "echo \\"a\\"":\nout\nerr\n',
    );
  });

  test("does not tell a secret command", () => {
    expect(commandFailed("exit status 1", secret("mysql -phunter2"), "no\n")).toBe(
      'exit status 1: running "[secret]":\nno\n',
    );
  });

  test("is short enough for its journey", () => {
    const text = commandFailed("exit status 1", "yes", `${"x".repeat(LONGEST_OUTPUT)}the end`);
    expect(text.length).toBeLessThan(LONGEST_OUTPUT + 200);
    expect(text).toContain("[the first 7 characters are left out]");
    expect(text.endsWith("the end")).toBe(true);
  });

  test.each([
    ['a"b\\c', '"a\\"b\\\\c"'],
    ["tab\tnewline\nbell\x07return\r", '"tab\\tnewline\\nbell\\areturn\\r"'],
    ["\x00\x1b\x7f", '"\\x00\\x1b\\x7f"'],
    ["é ✓ 😀", '"é ✓ 😀"'],
    ["\u00a0\u200b", '"\\u00a0\\u200b"'],
    ["\u{e0001}", '"\\U000e0001"'],
  ])("quotes as Go does: %j", (text, expected) => {
    expect(quoted(text)).toBe(expected);
  });
});

describe("how a process ended", () => {
  test.each([
    [{ code: 0 }, undefined],
    [{ code: 7 }, "exit status 7"],
    [{ code: null, signal: "SIGKILL" }, "signal: killed"],
    [{ code: null, signal: "SIGTERM" }, "signal: terminated"],
  ])("here: %j", (exit, expected) => expect(localExit(exit)).toBe(expected));

  test.each([
    [{ code: 0 }, undefined],
    [{ code: 7 }, "Process exited with status 7"],
    [{ code: null, signal: "SIGTERM" }, "Process exited with status 143 from signal TERM"],
    [
      { code: null, signal: "SIGKILL", description: "no memory" },
      "Process exited with status 137 from signal KILL. Reason was: no memory",
    ],
    [{}, "wait: remote command exited without exit status or exit signal"],
  ])("there: %j", (exit, expected) => expect(remoteExit(exit)).toBe(expected));
});

describe("redaction", () => {
  const inputs = {
    create: "deploy",
    connection: secret({
      host: "node1",
      user: "root",
      privateKey: "-----BEGIN KEY-----\nAAAABBBBCCCC\n-----END KEY-----\n",
      privateKeyPassword: "sesame-open",
      proxy: { host: "jump", password: "jump-password" },
    }),
    environment: { TOKEN: secret("env-token"), PLAIN: "plain-value" },
    stdin: "plain stdin\n",
  };

  test.each(["error", "stream"] as const)("hides keys, passphrases and secret values in an %s", (place) => {
    const hide = redaction(inputs, place);
    expect(hide("key AAAABBBBCCCC, sesame-open, jump-password, env-token")).toBe(
      "key [secret], [secret], [secret], [secret]",
    );
  });

  test("leaves names of hosts and users, and plain values", () => {
    expect(redaction(inputs, "error")("root@node1 plain-value")).toBe("root@node1 plain-value");
  });

  test("hides stdin in errors, secret or not; line by line where it is secret", () => {
    expect(redaction(inputs, "error")("got plain stdin")).toBe("got [secret]");
    expect(redaction(inputs, "stream")("got plain stdin")).toBe("got plain stdin");
    const hide = redaction({ stdin: secret("user=postgres\npassword=hunter2\n") }, "stream");
    expect(hide("line: password=hunter2")).toBe("line: [secret]");
  });

  test("hides the longer of two values that overlap", () => {
    const hide = redaction({ environment: { A: secret("abcd"), B: secret("abcdefgh") } }, "error");
    expect(hide("abcdefgh")).toBe("[secret]");
  });
});
