import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { agentSettings } from "../../../components/model/agent.ts";

test("today's agent starts on the settings of an earlier version: its program comes before them", () => {
  const file = join(import.meta.dirname, "../../golden/node1/etc/harbor-ha/agent.json");
  const { services: _, ...earlier } = JSON.parse(readFileSync(file, "utf8"));
  expect(agentSettings.parse(earlier).services).toEqual(["postgres", "redis"]);
});
