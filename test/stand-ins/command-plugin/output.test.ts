import { describe, expect, test } from "vitest";

import { previousOutput } from "./environment.ts";
import { isLogged, Output } from "./output.ts";

function output(logging: unknown = undefined) {
  const lines: string[] = [];
  return { lines, output: new Output(logging, (line) => lines.push(line)) };
}

describe("outputs", () => {
  test.each([
    ["a\n", "a"],
    ["a\n\n", "a\n"],
    ["a\r\n", "a\r"],
    ["a", "a"],
    ["\n", ""],
    [" a \n", " a "],
    ["\ufeffa", "\ufeffa"],
    ["a\0b", "a\0b"],
  ])("exactly one newline goes from %j", (printed, expected) => {
    const { output: one } = output();
    one.push("stdout", Buffer.from(printed));
    expect(one.text("stdout")).toBe(expected);
  });

  test("that are not UTF-8 fail", () => {
    const { output: one } = output();
    one.push("stdout", Buffer.from([0xff]));
    expect(() => one.text("stdout")).toThrow("stdout contains invalid UTF-8");
    expect(one.text("stderr")).toBe("");
  });

  test("a character in two chunks is whole", () => {
    const { output: one, lines } = output();
    const bytes = Buffer.from("é\n");
    one.push("stdout", bytes.subarray(0, 1));
    one.push("stdout", bytes.subarray(1));
    expect(one.text("stdout")).toBe("é");
    expect(lines).toEqual(["é"]);
  });

  test("both streams keep the order of arrival", () => {
    const { output: one } = output();
    one.push("stdout", Buffer.from("1\n"));
    one.push("stderr", Buffer.from("2\n"));
    one.push("stdout", Buffer.from("3\n"));
    expect(one.both()).toBe("1\n2\n3\n");
  });
});

describe("streaming", () => {
  test("goes line by line, the last one without a newline too", () => {
    const { output: one, lines } = output();
    one.push("stdout", Buffer.from("a\r\n\n b"));
    expect(lines).toEqual(["a", ""]);
    one.end();
    expect(lines).toEqual(["a", "", " b"]);
  });

  test("a line without an end passes in pieces", () => {
    const { output: one, lines } = output();
    for (let index = 0; index < 5; index += 1) one.push("stdout", Buffer.alloc(50_000, "x"));
    expect(lines.map((line) => line.length)).toEqual([65_536, 65_536, 65_536]);
    one.end();
    expect(lines.join("")).toBe("x".repeat(250_000));
  });

  test.each([
    [undefined, ["stdout", "stderr"]],
    ["stdoutAndStderr", ["stdout", "stderr"]],
    ["stdout", ["stdout"]],
    ["stderr", ["stderr"]],
    ["none", []],
    ["bogus", []],
  ])("logging %s shows %j", (logging, shown) => {
    expect((["stdout", "stderr"] as const).filter((source) => isLogged(source, logging))).toEqual(shown);
  });
});

describe("the last run's output", () => {
  const previous = { stdout: "out", stderr: "err" };

  test("is passed on unless refused", () => {
    const both = { PULUMI_COMMAND_STDOUT: "out", PULUMI_COMMAND_STDERR: "err" };
    expect(previousOutput({}, previous)).toEqual(both);
    expect(previousOutput({ addPreviousOutputInEnv: true }, previous)).toEqual(both);
    expect(previousOutput({ addPreviousOutputInEnv: false }, previous)).toEqual({});
  });

  test("is left out where there was none", () => {
    expect(previousOutput({}, { stdout: "", stderr: "err" })).toEqual({ PULUMI_COMMAND_STDERR: "err" });
    expect(previousOutput({}, {})).toEqual({});
  });
});
