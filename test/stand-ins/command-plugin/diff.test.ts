import { describe, expect, test } from "vitest";

import { diff } from "./diff.ts";
import { secret } from "./property-value.ts";

describe("an update, not a replacement, follows a change of", () => {
  test.each([
    ["create", "a", "b"],
    ["update", "a", "b"],
    ["delete", "a", "b"],
    ["stdin", "a", "b"],
    ["logging", "none", "stdout"],
    ["addPreviousOutputInEnv", true, false],
    ["connection", secret({ host: "a" }), secret({ host: "b" })],
    ["dir", "/a", "/b"],
    ["assetPaths[0]", ["a"], ["b"]],
    ["archivePaths[0]", ["a"], ["b"]],
    ["interpreter[0]", ["a"], ["b"]],
    ["environment.A", { A: "1" }, { A: "2" }],
    ['environment["b-c"]', { "b-c": "1" }, { "b-c": "2" }],
  ])("%s", (path, old, now) => {
    const name = path.replace(/[.[].*/, "");
    expect(diff({ [name]: old }, { [name]: now })).toEqual({ changes: { [path]: "update" }, replaces: [] });
  });

  test("any field of the connection", () => {
    const fields = ["host", "port", "user", "privateKey", "hostKey", "dialErrorLimit", "perDialTimeout", "proxy"];
    for (const field of fields) {
      const { changes, replaces } = diff(
        { connection: secret({ [field]: "old" }) },
        { connection: secret({ [field]: "new" }) },
      );
      expect(changes).toEqual({ connection: "update" });
      expect(replaces).toEqual([]);
    }
  });

  test("a property that comes or goes", () => {
    expect(diff({}, { stdin: "a" }).changes).toEqual({ stdin: "add" });
    expect(diff({ stdin: "a" }, {}).changes).toEqual({ stdin: "delete" });
  });
});

describe("triggers replace", () => {
  test.each([
    ["an element changes", ["1"], ["2"], { "triggers[0]": "update" }],
    ["an element comes", ["1"], ["1", "2"], { "triggers[1]": "add" }],
    ["an element goes", ["1", "2"], ["1"], { "triggers[1]": "delete" }],
    ["the first ones come", undefined, ["1"], { triggers: "add" }],
    ["the last ones go", ["1"], undefined, { triggers: "delete" }],
    ["they are secret", secret(["1"]), secret(["2"]), { triggers: "update" }],
    ["deep inside", [{ a: 1 }], [{ a: 2 }], { "triggers[0].a": "update" }],
  ])("when %s", (_when, old, now, changes) => {
    expect(diff({ triggers: old }, { triggers: now })).toEqual({ changes, replaces: Object.keys(changes) });
  });

  test("even where update is set", () => {
    const { replaces } = diff({ update: "u", triggers: ["1"] }, { update: "u", triggers: ["2"] });
    expect(replaces).toEqual(["triggers[0]"]);
  });

  test("for a file only when its content changes", () => {
    const file = (hash: string, path: string) => ({
      "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17",
      hash,
      path,
    });
    expect(diff({ triggers: [file("1", "/a")] }, { triggers: [file("1", "/b")] }).replaces).toEqual([]);
    expect(diff({ triggers: [file("1", "/a")] }, { triggers: [file("2", "/a")] }).replaces).toEqual(["triggers[0]"]);
  });
});

test("a value that turns secret, or plain, is a change", () => {
  expect(diff({ create: "a" }, { create: secret("a") }).changes).toEqual({ create: "update" });
  expect(diff({ create: secret("a") }, { create: "a" }).changes).toEqual({ create: "update" });
});

test("the same inputs are no change", () => {
  const inputs = { create: "a", environment: { A: "1" }, triggers: [1], connection: secret({ host: "h" }) };
  expect(diff(inputs, structuredClone(inputs))).toEqual({ changes: {}, replaces: [] });
  expect(diff({ environment: { A: "1", B: "2" } }, { environment: { B: "2", A: "1" } }).changes).toEqual({});
});

test("properties of the engine's own do not count", () => {
  expect(diff({ create: "a" }, { create: "a", version: "1.2.1", __internal: {} }).changes).toEqual({});
});
