import { afterAll, beforeAll, expect, test } from "vitest";
import type { Diagnosis } from "../../scripts/doctor/rules.ts";
import { until } from "../../scripts/roll/wait.ts";
import { LabStack } from "../support/stack.ts";

// What doctor finds on real hosts, and that its remedies mend it.
let stack: LabStack;

beforeAll(async () => {
  stack = await LabStack.fresh();
  await stack.ok("npm", "run", "-s", "lab");
});
afterAll(() => LabStack.remove());

async function doctor(...options: string[]): Promise<{ code: number; found: string[]; diagnoses: Diagnosis[] }> {
  const { code, stdout } = await stack.harborHa("doctor", "--json", ...options);
  const { diagnoses }: { diagnoses: Diagnosis[] } = JSON.parse(stdout);
  return { code, diagnoses, found: diagnoses.map(({ id, node }) => (node ? `${id} ${node}` : id)) };
}

test("of a pair that was just built it says nothing", async () => {
  const { code, diagnoses } = await doctor();
  expect(diagnoses).toEqual([]);
  expect(code).toBe(0);
});

test("what somebody changed by hand is found on the node where it was", async () => {
  await stack.onHost("node1", "echo '# by hand' >> /etc/haproxy/haproxy.cfg; apt-mark unhold docker.io");
  await stack.onHost("node2", "systemctl stop pgbouncer; mkdir /var/lib/postgresql/17/main.former");
  await stack.onHost("node2", "echo x >> /data/secret/keys/secretkey");
  const { code, found, diagnoses } = await doctor();
  expect(code).toBe(1);
  // Harbor's own verdict on its components comes seconds later.
  expect(found.filter((id) => !id.startsWith("harbor.component")).sort()).toEqual([
    "harbor.no-write node2",
    "host.drift node1",
    "host.drift node2",
    "nodes.differ",
    "packages.unheld node1",
    "postgres.leftovers node2",
    "unit.down node2",
  ]);
  expect(diagnoses.find(({ id }) => id === "nodes.differ")?.sentence).toContain("Harbor's secretkey");
});

test("--fix mends what is safe, and the remedies the rest", async () => {
  await doctor("--fix");
  let diagnoses: Diagnosis[] = [];
  await until("what a person has to decide is left", 60_000, async () => {
    const left = await doctor();
    ({ diagnoses } = left);
    const ids = ["host.drift node1", "host.drift node2", "nodes.differ", "postgres.leftovers node2"];
    return left.found.sort().join() === ids.join();
  });
  for (const { remedy } of diagnoses.filter(({ id }) => id === "host.drift")) {
    const urn = /--replace '([^']+)'/.exec(remedy)?.[1] ?? "";
    await stack.ok("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--replace", urn);
  }
  await stack.ok("harbor-ha", "roll", "--yes");
  await stack.onHost("node2", "rmdir /var/lib/postgresql/17/main.former");
  // Harbor calls its components healthy seconds after they are.
  await until("nothing is found any more", 60_000, async () => (await doctor()).code === 0);
});
