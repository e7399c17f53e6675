import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { explain, explanationText } from "../../../scripts/explain/explain.ts";
import { optionsOf } from "../../../scripts/explain/options.ts";

const examples = join(import.meta.dirname, "../../../stacks/examples");
const usage = { images: 200, traffic: 100 };
const ofExample = async (name: string) => explain(await optionsOf(join(examples, `${name}.yaml`)), usage);

describe.each(["aliyun-minimal", "aliyun-managed-redis", "aliyun-managed"])("%s", (name) => {
  test("the total is the sum of the rows, each with a price, its source and its date", async () => {
    const { items, total } = await ofExample(name);
    const sum = items.reduce((sum, { monthly = 0 }) => sum + monthly, 0);
    expect(total).toEqual({ monthly: Math.round(sum * 100) / 100, without: [] });
    for (const { price } of items)
      expect(price).toMatchObject({ source: expect.stringMatching(/./), date: expect.stringMatching(/^20\d\d-\d\d$/) });
  });

  // Reviewed like code: what people read before they pay.
  test("reads as it was reviewed", async () => {
    await expect(`${explanationText(await ofExample(name))}\n`).toMatchFileSnapshot(
      join(import.meta.dirname, `../../golden/explain/${name}.txt`),
    );
  });
});

test("what a variant costs more is what the stack with it costs more", async () => {
  const [minimal, managed] = [await ofExample("aliyun-minimal"), await ofExample("aliyun-managed-redis")];
  const { difference } = minimal.variants.find(({ option }) => option === "aliyun.redis") ?? {};
  expect(difference).toBeCloseTo(managed.total.monthly - minimal.total.monthly, 2);
  expect(managed.variants.find(({ option }) => option === "without aliyun.redis")?.difference).toBeCloseTo(
    -(difference ?? 0),
    2,
  );
});

test("a size without a price here is named, and no total or difference pretends to know it", async () => {
  const options = await optionsOf(join(examples, "aliyun-minimal.yaml"));
  if (!options.aliyun) throw new Error("no aliyun");
  const rare = { ...options, aliyun: { ...options.aliyun, instanceType: "ecs.g8i.xlarge" } };
  const { total, variants } = explain(rare, usage);
  expect(total.without).toEqual(["ECS instance ecs.g8i.xlarge"]);
  expect(variants.every(({ difference }) => difference === undefined)).toBe(true);
  expect(explanationText(explain(rare, usage))).toMatch(/total .* without ECS instance ecs\.g8i\.xlarge/);
});

test("images on NAS make a zone a single point of failure, images in OSS do not", async () => {
  const single = async (name: string) =>
    (await ofExample(name)).risks.filter(({ single }) => single).map(({ part }) => part);
  expect(await single("aliyun-minimal")).toContainEqual(expect.stringContaining("zone cn-hangzhou-j"));
  expect(await single("aliyun-managed")).not.toContainEqual(expect.stringContaining("zone cn-hangzhou"));
});

test("with the database alone managed, a node still takes Redis' master with it", async () => {
  const options = await optionsOf(join(examples, "aliyun-managed.yaml"));
  if (!options.aliyun) throw new Error("no aliyun");
  const { redis: _, ...aliyun } = options.aliyun;
  const parts = explain({ ...options, aliyun }, usage).risks.map(({ part }) => part);
  expect(parts).toContain("the node of Redis' master");
});

test("without public clients their traffic costs nothing", async () => {
  const { variants } = await ofExample("aliyun-minimal");
  expect(variants.find(({ option }) => option === "aliyun.loadBalancer.public: false")?.difference).toBe(-80);
});

test("the lab costs nothing, and has its single points of failure too", async () => {
  const { items, risks, variants } = await ofExample("lab");
  expect([items, variants]).toEqual([[], []]);
  expect(risks.filter(({ single }) => single).map(({ part }) => part)).toContain("the shared directory");
});

describe("a stack file", () => {
  const written = (text: string) => {
    const directory = mkdtempSync(join(tmpdir(), "harbor-ha-explain-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const path = join(directory, "Pulumi.prod.yaml");
    writeFileSync(path, text);
    return path;
  };

  test("is read without opening a secret", async () => {
    const path = written(`config:
  harbor-ha:hostname: registry.example.com
  harbor-ha:rootSecret: {secure: v1:abc}
  harbor-ha:identity: {secure: v1:def}
  harbor-ha:postgres: {external: {host: db, user: harbor, password: {secure: v1:ghi}}}
  harbor-ha:harbor: {installer: {file: /tmp/h.tgz, sha256: "${"0".repeat(64)}"}}
`);
    expect((await optionsOf(path)).postgres.external).toMatchObject({ host: "db" });
  });

  test.each([
    ["config: [", /is no YAML/],
    ["name: x", /has no `config`/],
    ["config: {harbor-ha:hostname: localhost}", /Harbor refuses a loopback name/],
  ])("that cannot be used is refused: %s", async (text, words) => {
    await expect(optionsOf(written(text))).rejects.toThrow(words);
  });

  test("that is not there is refused with the next thing to do", async () => {
    await expect(optionsOf("/nowhere.yaml")).rejects.toThrow(/no stack file \/nowhere\.yaml: name one with --config/);
  });
});
