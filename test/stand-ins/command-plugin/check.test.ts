import { describe, expect, test } from "vitest";

import { check } from "./check.ts";
import { isSecret, type PropertyMap, plain, secret, UNKNOWN } from "./property-value.ts";

const local = (inputs: PropertyMap) => check("command:local:Command", inputs);
const remote = (inputs: PropertyMap) => check("command:remote:Command", inputs);

describe("connection", () => {
  test("gets defaults", () => {
    const { inputs, failures } = remote({ connection: { host: "node1" } });
    expect(failures).toEqual([]);
    expect(plain(inputs.connection)).toEqual({
      host: "node1",
      user: "root",
      port: 22,
      dialErrorLimit: 10,
      perDialTimeout: 15,
    });
  });

  test("so does its jump host", () => {
    const { inputs } = remote({ connection: { host: "node1", proxy: { host: "jump" } } });
    const { proxy } = plain(inputs.connection) as PropertyMap;
    expect(proxy).toEqual({ host: "jump", user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 });
  });

  test("keeps what was given", () => {
    const given = { host: "node1", user: "admin", port: 2222, dialErrorLimit: -1, perDialTimeout: 0 };
    expect(plain(remote({ connection: given }).inputs.connection)).toEqual(given);
  });

  test("is always secret, and the keys within it again", () => {
    const { inputs } = remote({
      connection: { host: "node1", privateKey: "k", privateKeyPassword: "p", password: "w" },
    });
    expect(isSecret(inputs.connection)).toBe(true);
    const inner = (inputs.connection as { value: PropertyMap }).value;
    expect(Object.keys(inner).filter((name) => isSecret(inner[name]))).toEqual([
      "privateKey",
      "privateKeyPassword",
      "password",
    ]);
  });

  test("marked by the program is marked once", () => {
    const { inputs } = remote({ connection: secret({ host: "node1" }) });
    expect(isSecret((inputs.connection as { value: unknown }).value)).toBe(false);
  });

  test("is required, with a host", () => {
    expect(remote({ create: "true" }).failures).toEqual([
      { property: "connection", reason: "Missing required field 'connection' on 'remote.CommandInputs'" },
    ]);
    expect(remote({ connection: { user: "root" } }).failures).toEqual([
      { property: "", reason: "connection.host: Missing required field 'host' on 'remote.Connection'" },
    ]);
    expect(remote({ connection: { host: "a", proxy: {} } }).failures).toEqual([
      { property: "", reason: "connection.proxy.host: Missing required field 'host' on 'remote.ProxyConnection'" },
    ]);
  });

  test("that is wrong is refused without repeating it", () => {
    const broken = { privateKey: "PRIVATE", port: "22", password: 5, colour: "PRIVATE" };
    const { inputs, failures } = remote({ connection: broken });
    expect(failures).toHaveLength(4);
    expect(JSON.stringify(failures)).not.toContain("PRIVATE");
    // The engine prints the whole value of a property that a failure names.
    expect(failures.map(({ property }) => property)).toEqual(["", "", "", ""]);
    expect(isSecret(inputs.connection)).toBe(true);
  });

  test("may be unknown, in whole or in part", () => {
    expect(remote({ connection: UNKNOWN }).failures).toEqual([]);
    expect(remote({ connection: secret({ host: UNKNOWN, port: UNKNOWN, proxy: UNKNOWN }) }).failures).toEqual([]);
  });
});

describe("kinds", () => {
  test("a wrong one is named, with its property", () => {
    expect(local({ create: 5 }).failures).toEqual([
      {
        property: "create",
        reason: "Field 'create' on 'local.CommandInputs' must be a 'string'; got 'float64' instead",
      },
    ]);
    expect(local({ addPreviousOutputInEnv: "yes" }).failures[0]?.reason).toContain("must be a 'bool'; got 'string'");
    expect(local({ triggers: "now" }).failures[0]?.reason).toContain("must be a '[]interface {}'; got 'string'");
    expect(local({ interpreter: [1] }).failures[0]?.property).toBe("interpreter[0]");
    expect(local({ environment: { PORT: 1 } }).failures[0]?.property).toBe("environment[PORT] value");
  });

  test("a secret of the wrong kind is not repeated", () => {
    const { failures } = local({ create: secret(["hunter2"]) });
    expect(failures.map(({ property }) => property)).toEqual([""]);
    expect(failures[0]?.reason).not.toContain("hunter2");
  });

  test("every problem is told at once", () => {
    expect(local({ create: 5, update: 6 }).failures).toHaveLength(2);
  });

  test("a property nobody knows is refused", () => {
    expect(local({ comand: "true" }).failures).toEqual([
      { property: "comand", reason: "Unrecognized field 'comand' on 'local.CommandInputs'" },
    ]);
  });

  test("logging takes any word", () => {
    expect(local({ logging: "bogus" }).failures).toEqual([]);
  });

  test("triggers take anything, unknowns pass, null means absent", () => {
    expect(local({ triggers: [1, { a: true }, UNKNOWN] }).failures).toEqual([]);
    expect(local({ create: UNKNOWN, environment: UNKNOWN, addPreviousOutputInEnv: UNKNOWN }).failures).toEqual([]);
    expect(local({ create: null })).toEqual({ inputs: {}, failures: [] });
  });

  test("marks stay where they were", () => {
    const inputs = { create: secret("true"), environment: { A: secret("1") } };
    expect(local(inputs).inputs).toEqual(inputs);
  });
});

test.each(["assetPaths", "archivePaths"])("%s is refused: no files are read back", (name) => {
  expect(local({ [name]: ["*"] }).failures).toEqual([{ property: name, reason: expect.stringContaining("stand-in") }]);
});

test.each(["command:remote:CopyToRemote", "command:remote:CopyFile"])("%s is refused", (type) => {
  expect(check(type, {}).failures).toEqual([
    {
      property: "",
      reason: `${type} is not part of this stand-in for the command plugin; it needs the official pulumi-resource-command`,
    },
  ]);
});
