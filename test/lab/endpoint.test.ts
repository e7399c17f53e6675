import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findInstaller } from "../../scripts/lab/installer.ts";
import { until } from "../../scripts/roll/wait.ts";
import { pullWhile } from "../support/pulls.ts";
import { type Image, makeImage } from "../support/registry.ts";
import { LabStack } from "../support/stack.ts";

let stack: LabStack;
let image: Image;

beforeAll(async () => {
  stack = await LabStack.fresh();
  await withInstallerServer(async (url, sha256) => {
    // The nodes fetch the installer themselves here; the other tests have it copied.
    const given = ["--hostname", "10.231.78.10", "--installer-url", url, "--installer-sha256", sha256];
    await stack.ok("harbor-ha", "init", ...given);
    await stack.ok("npm", "run", "-s", "lab");
  });
  image = makeImage([100_000]);
  await (await stack.registry()).push("library/moving", "1", image);
});
afterAll(() => LabStack.remove());

const holds = (node: string) =>
  stack.untilStatus(
    `${node} holds the address`,
    ({ nodes }) => nodes.find(({ name }) => name === node)?.host?.addresses.includes("10.231.78.10") === true,
  );

test("the endpoint on the standby's node, and that node off: pulls go on once the address has moved back", async () => {
  await stack.onHost("node1", "systemctl stop keepalived");
  await holds("node2");
  await stack.onHost("node1", "systemctl start keepalived");
  const pulls = await pullWhile(await stack.registry(), "library/moving", image.digest, async (pulls) => {
    await until("20 pulls", 60_000, async () => pulls.passed >= 20);
    await stack.ok("harbor-ha", "lab", "poweroff", "node2");
    const before = pulls.passed;
    await until("100 pulls through node1", 120_000, async () => pulls.passed >= before + 100);
  });
  expect(pulls.passed).toBeGreaterThan(100);
  await stack.ok("harbor-ha", "lab", "poweron", "node2");
  await stack.untilStatus("healthy", ({ healthy }) => healthy);
});

test("a dead HAProxy moves the address, and a revived one does not take it back", async () => {
  await holds("node1");
  await stack.onHost("node1", "systemctl stop haproxy");
  await holds("node2");
  await stack.onHost("node1", "systemctl start haproxy");
  await stack.untilStatus("healthy", ({ healthy }) => healthy);
  await holds("node2");
});

test("a share that is not mounted, or another one, keeps Harbor down, says so, and loses nothing", async () => {
  await stack.onHost("node2", "systemctl stop harbor-ha-harbor && umount /mnt/harbor-ha");
  const { code } = await stack.onHost("node2", "timeout 20 systemctl start harbor-ha-harbor");
  expect(code).not.toBe(0);
  const status = await stack.status();
  expect(status.findings.map(({ id }) => id)).toContain("storage.wrong");
  expect(status.text).toContain("is not mounted");
  const refused = await stack.harborHa("roll", "--yes");
  expect(refused.code).toBe(2);
  // Another, empty share in its place.
  await stack.onHost("node2", "mount -t tmpfs tmpfs /mnt/harbor-ha");
  expect((await stack.status()).text).toContain("does not carry the pair's identity");
  expect(await (await stack.registry()).pull("library/moving", image.digest)).toBe(image.digest);
});

/** Serves the installer over HTTP on the lab's bridge for as long as some work takes. */
async function withInstallerServer(work: (url: string, sha256: string) => Promise<void>): Promise<void> {
  const { file, sha256 } = await findInstaller(console.error);
  const server = createServer((_, response) => createReadStream(file).pipe(response));
  server.listen(0, "0.0.0.0");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    await work(`http://10.231.78.1:${port}/installer.tgz`, sha256);
  } finally {
    server.close();
  }
}
