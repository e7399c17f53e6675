import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { allows, grant, TokenMaker } from "./token.ts";

const makeKey = (type: "pkcs1" | "pkcs8" = "pkcs1") =>
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type, format: "pem" }).toString();
const key = makeKey();
const access = [{ type: "repository", name: "library/app", actions: ["pull"] }];

describe("tokens", () => {
  test("of one core pass at another core with the same key", () => {
    const token = new TokenMaker(key).sign("admin", access);
    expect(new TokenMaker(key).verify(token)).toMatchObject({ sub: "admin", access });
  });

  test("fail at a core with another key, when changed, and when too old", () => {
    const maker = new TokenMaker(key);
    const token = maker.sign("admin", access);
    const [header, , signature] = token.split(".");
    const forged = Buffer.from(JSON.stringify({ sub: "admin" })).toString("base64url");
    expect(new TokenMaker(makeKey()).verify(token)).toBeUndefined();
    expect(maker.verify(`${header}.${forged}.${signature}`)).toBeUndefined();
    expect(maker.verify("nonsense")).toBeUndefined();
    const hour = 3600;
    expect(maker.verify(token, Date.now() / 1000 + hour)).toBeUndefined();
    expect(maker.verify(token, Date.now() / 1000 - hour)).toBeUndefined();
  });

  test("need a PKCS#1 key, as Harbor's core does", () => {
    expect(() => new TokenMaker(makeKey("pkcs8"))).toThrow(/PKCS#1/);
  });
});

describe("rights", () => {
  const projects = new Map([
    ["library", { public: true }],
    ["team", { public: false }],
  ]);
  const actions = (scope: string, admin: boolean) => grant(scope, admin, projects).actions;

  test("are all for the administrator and pull from public projects for everybody", () => {
    expect(actions("repository:team/a/b:pull,push", true)).toEqual(["pull", "push"]);
    expect(actions("repository:team/a/b:*", true)).toEqual(["pull", "push", "delete"]);
    expect(actions("repository:library/a:pull,push", false)).toEqual(["pull"]);
    expect(actions("repository:team/a:pull", false)).toEqual([]);
  });

  test("are none where the project is unknown, as when the database does not answer", () => {
    expect(grant("repository:library/a:pull", true, new Map())).toEqual({
      type: "repository",
      name: "library/a",
      actions: [],
    });
  });

  test("count for their repository only", () => {
    expect(allows(access, "library/app", "pull")).toBe(true);
    expect(allows(access, "library/app", "push")).toBe(false);
    expect(allows(access, "library/other", "pull")).toBe(false);
  });
});
