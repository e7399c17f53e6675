import { expect, test } from "vitest";
import {
  fenceStatements,
  nodeStatements,
  operatorStatements,
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

test("whoever runs up makes things, and takes down nothing that holds data", () => {
  const up = operatorStatements("prod", { destroy: false });
  const destroy = operatorStatements("prod", { destroy: true });
  const deletions: [string, string][] = [
    ["ecs:DeleteDisk", "acs:ecs:cn-hangzhou:1:disk/d-1"],
    ["nas:DeleteFileSystem", "acs:nas:cn-hangzhou:1:filesystem/1"],
    ["rds:DeleteDBInstance", "acs:rds:cn-hangzhou:1:dbinstance/pgm-1"],
    ["oss:DeleteObject", `${images}/harbor/x`],
  ];
  for (const [action, resource] of deletions) {
    expect(may(up, action, resource)).toBe(false);
    expect(may(destroy, action, resource)).toBe(true);
  }
  expect(may(up, "ecs:RunInstances", "acs:ecs:cn-hangzhou:1:instance/*")).toBe(true);
  expect(may(up, "oss:PutBucket", record)).toBe(true);
  for (const statements of [up, destroy]) {
    expect(may(statements, "oss:DeleteBucket", "acs:oss:*:*:somebody-elses")).toBe(false);
    expect(may(statements, "oss:GetObject", `${record}/record/0000000001.json`)).toBe(false);
    expect(may(statements, "ram:CreateAccessKey", "acs:ram:*:1:user/somebody")).toBe(false);
    // Changing is never allowed by a pattern, and RAM takes no longer document.
    for (const action of statements.flatMap(({ Action }) => Action))
      expect(action).toMatch(/^[a-z]+:((Describe|Get|List|GetBucket)\*|[A-Za-z]+)$/);
    expect(policyDocument(statements).length).toBeLessThan(6144);
  }
});

test("no policy of a machine allows an action by a pattern, nor everything", () => {
  for (const statement of [
    ...nodeStatements("prod", options),
    ...registryStatements("prod", options),
    ...fenceStatements(["i-bp1one"]),
  ])
    for (const action of statement.Action) expect(action).toMatch(/^[a-z]+:[A-Za-z]+$/);
  expect(JSON.parse(policyDocument(registryStatements("prod", options)))).toMatchObject({ Version: "1" });
});
