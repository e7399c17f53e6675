import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const project = new URL("../..", import.meta.url).pathname;

/** A breach of every boundary, by file; and what may be imported. */
const files: Record<string, string> = {
  "stacks/index.ts": 'import "@pulumi/pulumi"; import "../components/cluster.ts";',
  "stacks/config.ts": 'import "zod"; import "../components/model/node.ts";',
  "stacks/broken.ts": 'import "../test/support.ts"; import "../components/nowhere.ts";',
  "components/cluster.ts": 'import "@pulumi/pulumi"; import "./services/web/render.ts";',
  "components/model/node.ts": 'import "zod";',
  "components/model/broken.ts": 'import "../plain-looking.ts";',
  "components/plain-looking.ts": 'import "@pulumi/pulumi";',
  "components/services/web/render.ts": 'import "../../model/node.ts"; import type {} from "../../../stacks/config.ts";',
  "components/services/broken/render.ts": 'import "@pulumi/pulumi";',
  "components/broken.ts": 'import "../scripts/harbor-ha.ts";',
  "components/apply/host/main.ts": 'import "../../model/node.ts"; import "node:fs";',
  "components/apply/host/broken.ts": 'import "yaml";',
  "scripts/harbor-ha.ts": 'import "../components/services/web/render.ts"; import "../stacks/config.ts";',
  "scripts/agent/main.ts": 'import "pg";',
  "scripts/agent/broken.ts": 'import "../../components/model/deep.ts";',
  "components/model/deep.ts": 'import "yaml";',
  "scripts/broken.ts": 'import "../components/cluster.ts"; import "../stacks/index.ts"; import "../test/support.ts";',
  "scripts/commands/broken.ts": 'import type {} from "@pulumi/pulumi";',
  "scripts/lab/installer.ts": 'await import("../../test/support.ts");',
  "scripts/one.ts": 'import { two } from "./two.ts"; export const one = () => two;',
  "scripts/two.ts": 'import { one } from "./one.ts"; export const two = () => one;',
  "test/support.ts": 'import "../components/cluster.ts"; import "../scripts/harbor-ha.ts";',
  "package.json": '{ "type": "module", "dependencies": { "@pulumi/pulumi": "1", "zod": "1", "pg": "1", "yaml": "1" } }',
};
const packages = ["@pulumi/pulumi", "zod", "pg", "yaml"];

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "harbor-ha-check-"));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  for (const name of packages) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: "1.0.0", main: "index.js" }));
    write(`node_modules/${name}/index.js`, "");
  }
  for (const file of [".dependency-cruiser.cjs", "tsconfig.json"]) cpSync(join(project, file), join(directory, file));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("the folder boundaries", () => {
  test("are each reported where they are broken, and nowhere else", () => {
    const program = join(project, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
    const args = [
      "--config",
      ".dependency-cruiser.cjs",
      "--output-type",
      "json",
      "stacks",
      "components",
      "scripts",
      "test",
    ];
    const { stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: directory, encoding: "utf8" });
    expect(stderr).toBe("");
    const { violations } = JSON.parse(stdout).summary as { violations: { from: string; rule: { name: string } }[] };
    expect([...new Set(violations.map(({ from, rule }) => `${from}: ${rule.name}`))].sort()).toEqual([
      "components/apply/host/broken.ts: host-programs-need-few-packages",
      "components/broken.ts: components-never-import-scripts",
      "components/model/broken.ts: plain-code-never-reaches-pulumi",
      "components/services/broken/render.ts: plain-code-never-reaches-pulumi",
      "scripts/agent/broken.ts: host-programs-need-few-packages",
      "scripts/broken.ts: product-never-imports-test",
      "scripts/broken.ts: scripts-import-plain-components-only",
      "scripts/broken.ts: scripts-import-plain-stacks-only",
      "scripts/commands/broken.ts: commands-never-reach-pulumi",
      "scripts/one.ts: no-circles",
      "stacks/broken.ts: not-resolvable",
      "stacks/broken.ts: product-never-imports-test",
    ]);
  });
});
