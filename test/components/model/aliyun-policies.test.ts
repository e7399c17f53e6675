import { expect, test } from "vitest";
import {
  fenceStatements,
  nodeStatements,
  policyDocument,
  registryStatements,
  type Statement,
} from "../../../components/model/aliyun-policies.ts";

const options = { bucketSuffix: "k7m2pd" };
const record = "acs:oss:*:*:harbor-ha-prod-record-k7m2pd";
const backup = "acs:oss:*:*:harbor-ha-prod-backup-k7m2pd";
const images = "acs:oss:*:*:harbor-ha-prod-images-k7m2pd";

/** Whether statements allow something, by RAM's rules: `*` stands for anything. */
const may = (statements: Statement[], action: string, resource: string) =>
  statements.some(
    ({ Action, Resource }) =>
      Action.includes(action) &&
      Resource.some((pattern) =>
        new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`).test(resource),
      ),
  );

test("nodes read and write the record and backups, and delete neither", () => {
  const node = nodeStatements("prod", options);
  for (const resource of [`${record}/record/0000000001.json`, `${backup}/harbor/base.tar`]) {
    expect(may(node, "oss:GetObject", resource)).toBe(true);
    expect(may(node, "oss:PutObject", resource)).toBe(true);
    expect(may(node, "oss:DeleteObject", resource)).toBe(false);
  }
  expect(may(node, "oss:ListObjects", record)).toBe(true);
  expect(may(node, "oss:DeleteObject", `${record}/record.trial-1/0000000001.json`)).toBe(true);
  expect(may(node, "oss:DeleteObject", `${record}/record/moved`)).toBe(true);
  expect(may(node, "oss:GetObject", `${images}/harbor/docker/registry/v2/blobs/x`)).toBe(false);
});

test("the registry's key opens images alone", () => {
  const registry = registryStatements("prod", options);
  for (const action of ["oss:GetObject", "oss:PutObject", "oss:DeleteObject"])
    expect(may(registry, action, `${images}/harbor/x`)).toBe(true);
  expect(may(registry, "oss:GetObject", `${record}/record/0000000001.json`)).toBe(false);
  expect(may(registry, "oss:GetObject", `${backup}/x`)).toBe(false);
});

test("the fence stops its own two instances", () => {
  const fence = fenceStatements(["i-bp1one", "i-bp1two"]);
  expect(may(fence, "ecs:StopInstance", "acs:ecs:cn-hangzhou:1:instance/i-bp1one")).toBe(true);
  expect(may(fence, "ecs:StopInstance", "acs:ecs:cn-hangzhou:1:instance/i-bp1other")).toBe(false);
});

test("no policy allows an action by a pattern, nor everything", () => {
  for (const statement of [
    ...nodeStatements("prod", options),
    ...registryStatements("prod", options),
    ...fenceStatements(["i-bp1one"]),
  ])
    for (const action of statement.Action) expect(action).toMatch(/^[a-z]+:[A-Za-z]+$/);
  expect(JSON.parse(policyDocument(registryStatements("prod", options)))).toMatchObject({ Version: "1" });
});
