import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Inventory } from "../../components/model/inventory.ts";
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

/** Options that say where the nodes are and nothing else, as for a pair that somebody else has built. */
async function foreign(): Promise<string[]> {
  const { access } = await stack.output<Inventory>("inventory");
  const directory = mkdtempSync(join(tmpdir(), "harbor-ha-foreign-"));
  const pair = join(directory, "pair.yaml");
  const config = join(directory, "ssh_config");
  const hosts = Object.entries(access).map(
    ([name, { host, user, port, identityFile, hostKey }]) =>
      `Host ${name}\n  HostName ${host}\n  User ${user}\n  Port ${port}\n  IdentityFile ${identityFile}\n  KnownHostsCommand /bin/echo ${host} ${hostKey}\n`,
  );
  writeFileSync(config, hosts.join(""));
  writeFileSync(pair, stringify({ nodes: Object.fromEntries(Object.keys(access).map((name) => [name, name])) }));
  return ["--pair", pair, "--ssh-config", config];
}

// The lab's hosts share this machine's clock, and keep none of their own.
const withoutClock = (found: string[]) => found.filter((id) => !id.startsWith("clock.unsynchronized")).sort();

test("of a pair that was just built it says nothing", async () => {
  const { code, diagnoses } = await doctor();
  expect(diagnoses).toEqual([]);
  expect(code).toBe(0);
});

test("nor of one that it is told was built by somebody else", async () => {
  const options = await foreign();
  expect(withoutClock((await doctor(...options)).found)).toEqual([]);
  const { code, stdout } = await stack.harborHa("status", "--json", ...options);
  expect(JSON.parse(stdout)).toMatchObject({ healthy: true, findings: [] });
  expect(code).toBe(0);
  expect(await stack.harborHa("doctor", "--fix", ...options)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--fix mends only what harbor-ha has built"),
  });
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
  const asForeign = await doctor(...(await foreign()));
  expect(withoutClock(asForeign.found).filter((id) => !id.startsWith("harbor."))).toEqual([
    "database.unreachable node2",
    "nodes.differ",
    "secretkey.length node2",
  ]);
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
