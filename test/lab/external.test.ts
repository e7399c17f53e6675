import { readFileSync } from "node:fs";
import { join } from "node:path";
import spawn from "nano-spawn";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hostAddress } from "../../components/model/address.ts";
import { sshArguments } from "../../scripts/lab/lab.ts";
import { asRoot, initStackOn, makeMachines, nodes } from "../support/machines.ts";
import { pullWhile } from "../support/pulls.ts";
import { type Image, makeImage } from "../support/registry.ts";
import { LabStack, testStack, testSubnet } from "../support/stack.ts";

// A load balancer, PostgreSQL and Redis of yours, on a third machine, the servers with TLS: first Redis, then both, then the
// database alone.
const servers = { name: "servers", address: hostAddress(testSubnet, 14) };
const password = "Password-of-the-servers-1";
let stack: LabStack;
let image: Image;
let ca: string;

const up = () => stack.run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
const upOk = () => stack.ok("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
const set = (...words: string[]) => stack.ok("pulumi", "config", "set", "--path", ...words);
const healthy = () => stack.untilStatus("the pair is healthy", ({ healthy }) => healthy, 180);
const power = (node: string, state: "on" | "off") => stack.ok("harbor-ha", "lab", `power${state}`, node);
const runs = async (node: string, unit: string) =>
  (await stack.onHost(node, `systemctl is-active ${unit}`)).stdout.trim() === "active";
const serves = async () => {
  for (const node of [undefined, "node1", "node2"])
    expect(await (await stack.registry(node)).pull("library/kept", image.digest)).toBe(image.digest);
};

beforeAll(async () => {
  stack = await LabStack.fresh();
  await makeMachines([servers]);
  const script = readFileSync(join(import.meta.dirname, "../support/servers/start.sh"), "utf8");
  ({ stdout: ca } = await spawn(
    "ssh",
    [
      ...sshArguments(testStack, servers.name),
      `sh -s ${servers.address} ${password} ${nodes.map(({ address }) => address).join(" ")}`,
    ],
    { stdin: { string: script } },
  ));
});
afterAll(() => LabStack.remove());

test("a Redis of yours whose password is wrong is said before Harbor is installed, without the password", async () => {
  await initStackOn(stack, { "redis.external.host": servers.address }, servers.address);
  await set("harbor-ha:redis.external.caCertificate", "--", ca);
  await set("--secret", "harbor-ha:redis.external.password", "Wrong-password-1");
  const { code, stdout, stderr } = await up();
  expect(code).not.toBe(0);
  expect(stdout + stderr).toMatch(/cannot use Redis at .*WRONGPASS.*redis\.external, then run pulumi up again/s);
  expect(stdout + stderr).not.toContain("Wrong-password-1");
  expect((await asRoot("node1", "ls /opt/harbor")).stdout).not.toContain("install.sh");
});

test("with the right one the pair serves; Redis does not run on the nodes, and a second up changes nothing", async () => {
  await set("--secret", "harbor-ha:redis.external.password", password);
  await upOk();
  await healthy();
  image = makeImage([300_000]);
  await (await stack.registry()).push("library/kept", "1", image);
  await serves();
  for (const node of ["node1", "node2"]) expect(await runs(node, "redis-server")).toBe(false);
  await stack.ok("pulumi", "up", "--yes", "--expect-no-changes", "--non-interactive");
});

test("a switchover moves the database alone", async () => {
  await stack.ok("harbor-ha", "switchover", "--yes");
  const { nodes: seen } = await healthy();
  expect(seen.map(({ host }) => host?.postgres.role)).toEqual(["standby", "primary"]);
  await serves();
});

test("a database of yours: with its copy the pair goes on, harbor.yml and containers stay, and the nodes' own stops", async () => {
  const before = await stack.harborOf("node1");
  const dump = await stack.onHost("node2", "runuser -u postgres -- pg_dump --no-owner --no-privileges registry");
  await spawn(
    "ssh",
    [
      ...sshArguments(testStack, servers.name),
      "runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 --single-transaction -c 'SET ROLE harbor_app' -f - harbor_images >/dev/null",
    ],
    { stdin: { string: dump.stdout } },
  );
  for (const [key, value] of Object.entries({
    host: servers.address,
    database: "harbor_images",
    user: "harbor_app",
    sslMode: "verify-full",
  }))
    await set(`harbor-ha:postgres.external.${key}`, value);
  await set("harbor-ha:postgres.external.caCertificate", "--", ca);
  await set("--secret", "harbor-ha:postgres.external.password", password);
  await upOk();
  await healthy();
  await serves();
  expect(await stack.harborOf("node1")).toBe(before);
  await (await stack.registry()).push("library/later", "1", makeImage([10_000]));
  for (const node of ["node1", "node2"]) {
    expect(await runs(node, "postgresql@17-main")).toBe(false);
    expect((await stack.onHost(node, "cat /var/lib/postgresql/17/main/PG_VERSION")).stdout.trim()).toBe("17");
  }
});

test("without one node, or the record's storage, the other serves; there is nothing to move", async () => {
  await power("node1", "off");
  expect(await (await stack.registry("node2")).pull("library/kept", image.digest)).toBe(image.digest);
  const refused = await stack.harborHa("failover", "--yes");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("[move.yours]");
  await power("node1", "on");
  await healthy();
});

test("a restart of Harbor drains one node after the other from the balancer: no pull fails", async () => {
  await set("harbor-ha:harbor.logLevel", "warning");
  const pulls = await pullWhile(await stack.registry(), "library/kept", image.digest, async () => {
    await upOk();
  });
  expect(pulls.failed).toEqual([]);
  expect(pulls.passed).toBeGreaterThan(50);
  await healthy();
});

test("status names a server that does not answer, and the pair is healthy once it does", async () => {
  await asRoot(servers.name, "systemctl stop postgresql@17-main redis-server");
  await stack.untilStatus("both are missed", ({ findings }) =>
    ["external.database", "external.redis"].every((wanted) => findings.some(({ id }) => id === wanted)),
  );
  await asRoot(servers.name, "systemctl start postgresql@17-main redis-server");
  await healthy();
});

test("Redis on the nodes beside a database of yours: the record governs it alone, by switchover and failover", async () => {
  await stack.ok("pulumi", "config", "rm", "--path", "harbor-ha:redis.external");
  await upOk();
  const master = async () => (await healthy()).nodes.find(({ host }) => host?.redis.role === "master")?.name ?? "";
  const first = await master();
  const { stderr } = await stack.ok("harbor-ha", "switchover", "--yes");
  expect(stderr).toContain("the database is a server of yours");
  const second = await master();
  expect(second).not.toBe(first);
  await serves();

  await power(second, "off");
  await stack.ok("harbor-ha", "failover", "--yes", "--i-switched-it-off-by-hand");
  await power(second, "on");
  await stack.ok("harbor-ha", "rejoin", "--yes");
  expect(await master()).toBe(first);
  await serves();
});
