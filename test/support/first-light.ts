import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Inventory } from "../../components/model/inventory.ts";
import { labTopology } from "../../components/model/lab.ts";
import { virtualAddressOf } from "../../components/model/topology.ts";
import type { Finding } from "../../scripts/cluster/summary.ts";
import { stackDirectory } from "../../scripts/paths.ts";
import { until } from "../../scripts/roll/wait.ts";
import { ProcessWatch } from "./process-watch.ts";
import { type Pulls, pullWhile } from "./pulls.ts";
import { type Image, makeImage } from "./registry.ts";
import { allSecrets } from "./secrets.ts";
import { LabStack, testStack, testSubnet } from "./stack.ts";

/** Where the pair is built: how it begins and ends there. */
export interface Place {
  build(stack: LabStack): Promise<void>;
  takeDown(stack: LabStack): Promise<void>;
  /** What else is done to the pair there, before its secrets are hunted. */
  also?: { what: string; work: (stack: LabStack) => Promise<unknown> };
}

/** The tests of a pair's whole first day, the same wherever its machines come from. */
export function firstLight(place: Place): void {
  let stack: LabStack;
  let watch: ProcessWatch;
  let image: Image;

  beforeAll(async () => {
    stack = await LabStack.fresh();
    watch = new ProcessWatch();
  });
  afterAll(async () => {
    watch?.stop();
    await LabStack.remove();
  });

  describe("from nothing to a serving pair", () => {
    test("a healthy pair", async () => {
      await place.build(stack);
      const status = await stack.status();
      expect(status.findings).toEqual([]);
      const [node1, node2] = status.nodes;
      expect(node1?.host?.postgres.role).toBe("primary");
      expect(node2?.host?.postgres.role).toBe("standby");
      expect(node1?.postgres?.standbys).toMatchObject([{ name: "node2", state: "streaming", syncState: "sync" }]);
      expect(node1?.host?.addresses).toContain(labTopology.virtualAddress(testSubnet));
    });

    test("the documented shell has pulumi and harbor-ha", async () => {
      const { stderr } = await stack.ok("npm", "run", "-s", "shell", "--", "harbor-ha", "status", "--wait", "120");
      expect(stderr).toContain("healthy");
      const unknown = await stack.run("npm", "run", "-s", "shell", "--", "no-such-command");
      expect(unknown.code).toBe(1);
      expect(unknown.stderr.trim()).toMatch(/^error: no-such-command: [^\n]*$/);
    });

    test("a second up changes nothing, and preview shows no change", async () => {
      await stack.ok("pulumi", "preview", "--expect-no-changes", "--non-interactive");
      await stack.ok("pulumi", "up", "--yes", "--expect-no-changes", "--non-interactive");
    });

    test("an image pushed by skopeo through the endpoint is pulled by digest from each node", async () => {
      image = makeImage([200_000, 3_000_000]);
      const digest = await skopeoPush("library/first:1", image);
      expect(digest).toBe(image.digest);
      for (const node of [undefined, "node1", "node2"])
        expect(await (await stack.registry(node)).pull("library/first", image.digest)).toBe(image.digest);
    });

    test("eight clients push the same layers at once: every acknowledged tag is whole on both nodes", async () => {
      const shared = [...makeImage([500_000, 500_000]).blobs.values()].slice(1);
      const pushes = await Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          const own = makeImage([10_000], shared);
          await (await stack.registry()).push("library/shared", `client${index}`, own);
          return own;
        }),
      );
      for (const node of ["node1", "node2"]) {
        const registry = await stack.registry(node);
        for (const { digest } of pushes) expect(await registry.pull("library/shared", digest)).toBe(digest);
      }
    });
  });

  describe("a changed setting", () => {
    test("Harbor's log level restarts Harbor one node after the other, and no pull fails", async () => {
      await stack.ok("pulumi", "config", "set", "--path", "harbor-ha:harbor.logLevel", "warning");
      const { stdout } = await stack.ok("pulumi", "preview", "--diff", "--non-interactive");
      expect(stdout).toMatch(/harbor\.yml/);
      expect(stdout).toMatch(/~ level\s*: "info" => "warning"/);
      expect((await allSecrets(stack)).filter((secret) => stdout.includes(secret))).toEqual([]);

      const pulls = await pulling(async () => {
        const { stdout } = await stack.ok("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
        const order = [...stdout.matchAll(/restart Harbor on (node\d)/g)].map(([, node]) => node);
        expect(new Set(order)).toEqual(new Set(["node1", "node2"]));
      });
      expect(pulls.failed).toEqual([]);
      expect(pulls.passed).toBeGreaterThan(50);
      for (const node of ["node1", "node2"])
        expect(
          (await stack.onHost(node, "grep -c '^LOG_LEVEL=warning' /opt/harbor/common/config/core/env")).stdout.trim(),
        ).toBe("1");
    });

    test("a restart-class PostgreSQL setting shows as such; the standby starts anew, takes over, and no pull fails", async () => {
      await stack.ok("pulumi", "config", "set", "--path", "harbor-ha:postgres.maxConnections", "220");
      const { stdout: preview } = await stack.ok("pulumi", "preview", "--diff", "--non-interactive");
      expect(preview).toContain("20-restart.conf");
      expect(preview).toMatch(/\+\s+max_connections = 220/);
      let stdout = "";
      const pulls = await pulling(async () => {
        ({ stdout } = await stack.ok("pulumi", "up", "--yes", "--skip-preview", "--non-interactive"));
      });
      expect(pulls.failed).toEqual([]);
      expect(stdout).toMatch(/restart PostgreSQL on node2 \(standby\)[\s\S]*node2 takes over from node1/);
      expect(stdout).not.toContain("restart PostgreSQL on node1");
      for (const node of ["node1", "node2"])
        expect(
          (await stack.onHost(node, "runuser -u postgres -- psql -XAtc 'SHOW max_connections'")).stdout.trim(),
        ).toBe("220");
      expect((await stack.status()).findings).toEqual([]);
    });
  });

  const primary = () => stack.primary();

  describe("the primary moves", () => {
    test("planned: no pull fails, and the former primary is the standby", async () => {
      const pulls = await pulling(async () => {
        await stack.ok("harbor-ha", "switchover", "--yes");
      });
      expect(pulls.failed).toEqual([]);
      expect(await primary()).toBe("node1");
      await stack.untilStatus("the pair is healthy", ({ healthy }) => healthy);
      await stack.ok("pulumi", "up", "--yes", "--expect-no-changes", "--non-interactive");
    });
  });

  describe("a node without power", () => {
    test("the standby's node off: pulls go on, writes go on once the record says so, and it comes back by itself", async () => {
      await stack.ok("harbor-ha", "lab", "poweroff", "node2");
      const pulls = await pulling(async (pulls) => {
        await stack.untilStatus("writes go on without the standby", ({ findings }) =>
          findings.some(({ sentence }) => sentence.includes("writes go on without it")),
        );
        const { code, stdout } = await stack.harborHa("status", "--json");
        expect(code).toBe(3);
        const findings: Finding[] = JSON.parse(stdout).findings;
        expect(findings.map(({ id }) => id)).toContain("host.unreachable");
        expect((await stack.ok("harbor-ha", "record", "show")).stdout).toMatch(
          /degraded +primary node1, in sync: nobody/,
        );
        const before = pulls.passed;
        await until("40 more pulls", 60_000, async () => pulls.passed >= before + 40);
      });
      // What was open on the lost node fails once; clients that come after HAProxy has noticed do not.
      expect(pulls.failed.length).toBeLessThanOrEqual(pulls.atOnce);
      await stack.ok("harbor-ha", "lab", "poweron", "node2");
      await stack.untilStatus("the pair is healthy again", ({ healthy }) => healthy);
      expect(await (await stack.registry("node2")).pull("library/first", image.digest)).toBe(image.digest);
    });
  });

  describe("the primary is lost", () => {
    test("with its node: the other one takes over, and it comes back as the standby", async () => {
      await stack.ok("harbor-ha", "lab", "poweroff", "node1");
      await stack.ok("harbor-ha", "failover", "--yes");
      expect(await primary()).toBe("node2");
      const pushed = makeImage([50_000]);
      await (await stack.registry()).push("library/after", "1", pushed);
      await stack.ok("harbor-ha", "lab", "poweron", "node1");
      await stack.untilStatus("it says what to do", ({ findings }) =>
        findings.some(({ sentence }) => sentence.includes("run harbor-ha rejoin")),
      );
      await stack.ok("harbor-ha", "rejoin", "--yes");
      await stack.untilStatus("the pair is healthy", ({ healthy }) => healthy);
      expect(await (await stack.registry("node1")).pull("library/after", pushed.digest)).toBe(pushed.digest);
    });
  });

  const { also } = place;
  if (also) test(also.what, () => also.work(stack));

  describe("secrets", () => {
    test("a failing up shows none, and leaves one clear error", async () => {
      const { value: sha } = JSON.parse(
        (await stack.ok("pulumi", "config", "get", "--path", "harbor-ha:harbor.installer.sha256", "--json")).stdout,
      );
      await stack.ok("pulumi", "config", "set", "--path", "harbor-ha:harbor.installer.sha256", "0".repeat(64));
      const failed = await stack.run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
      expect(failed.code).not.toBe(0);
      expect(failed.stdout + failed.stderr).toContain("the installer file has another sha256");
      expect((await allSecrets(stack)).filter((secret) => (failed.stdout + failed.stderr).includes(secret))).toEqual(
        [],
      );
      await stack.ok("pulumi", "config", "set", "--path", "harbor-ha:harbor.installer.sha256", sha);
      await stack.ok("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
      expect((await stack.status()).findings).toEqual([]);
    });

    test("none in processes, Pulumi's state and logs, journals, or files that anybody can read", async () => {
      const secrets = await allSecrets(stack);
      expect(secrets.length).toBeGreaterThan(10);
      expect(watch.samples).toBeGreaterThan(100);
      expect(watch.findings(secrets)).toEqual([]);

      const directories = [join(stackDirectory(testStack), "pulumi"), join(stack.env.PULUMI_HOME ?? "", "logs")];
      const texts = directories.flatMap(filesBelow).map((file) => ({ file, text: readFileSync(file, "latin1") }));
      expect(
        texts.filter(({ text }) => secrets.some((secret) => text.includes(secret))).map(({ file }) => file),
      ).toEqual([]);
      const modes = filesBelow(stackDirectory(testStack))
        .filter((file) => file.endsWith("passphrase"))
        .map((file) => statSync(file).mode & 0o777);
      expect(modes).toEqual([0o600]);

      for (const node of ["node1", "node2"]) {
        // The hunt finds what is there: a line of a unit file, and one of the journal.
        expect((await hunt(node, ["Description=harbor-ha agent"])).files).toContain(
          "/etc/systemd/system/harbor-ha-agent.service",
        );
        expect((await hunt(node, ["Started harbor-ha-agent.service"])).journal).toBeGreaterThan(0);
        expect(await hunt(node, secrets)).toEqual({ files: [], journal: 0 });
      }
    });
  });

  test("taken down, as its place promises", () => place.takeDown(stack));

  /** Where on a host any of the values stands: the journal's lines, and files that nobody's user can read. */
  async function hunt(node: string, values: string[]): Promise<{ files: string[]; journal: number }> {
    await stack.withCluster((cluster) => cluster.host(node).run("cat > /run/hunt", { input: values.join("\n") }));
    const journal = await stack.onHost(node, "journalctl --no-pager | grep -cFf /run/hunt");
    const readable = await stack.onHost(
      node,
      `runuser -u nobody -- sh -c "find / -xdev -type f -readable -size -4M ! -path '/proc/*' ! -path /run/hunt 2>/dev/null | xargs -d '\\n' grep -slFf /run/hunt"; rm -f /run/hunt`,
    );
    return { files: readable.stdout.split("\n").filter((line) => line !== ""), journal: Number(journal.stdout.trim()) };
  }

  /** Pulls the first image through the endpoint while something happens. */
  async function pulling(work: (pulls: Pulls) => Promise<void>): Promise<Pulls> {
    return pullWhile(await stack.registry(), "library/first", image.digest, work);
  }

  /** Pushes with skopeo, TLS verified with the stack's CA. @returns the digest that skopeo reports. */
  async function skopeoPush(reference: string, { manifest, blobs }: Image): Promise<string> {
    const directory = mkdtempSync(join(tmpdir(), "harbor-ha-test-"));
    const inventory = await stack.output<Inventory>("inventory");
    const endpoint = virtualAddressOf(inventory.topology) ?? "";
    mkdirSync(join(directory, "image"));
    mkdirSync(join(directory, "certs"));
    writeFileSync(join(directory, "image", "version"), "Directory Transport Version: 1.1\n");
    writeFileSync(join(directory, "image", "manifest.json"), manifest);
    for (const [digest, data] of blobs) writeFileSync(join(directory, "image", digest.slice("sha256:".length)), data);
    writeFileSync(join(directory, "certs", "ca.crt"), await stack.output<string>("caCertificate"));
    const auth = Buffer.from(`admin:${await stack.output("initialAdminPassword")}`).toString("base64");
    writeFileSync(join(directory, "auth.json"), JSON.stringify({ auths: { [endpoint]: { auth } } }), { mode: 0o600 });
    const digestFile = join(directory, "digest");
    await stack.ok(
      "skopeo",
      "copy",
      "--preserve-digests",
      `--authfile=${join(directory, "auth.json")}`,
      `--dest-cert-dir=${join(directory, "certs")}`,
      `--digestfile=${digestFile}`,
      `dir:${join(directory, "image")}`,
      `docker://${endpoint}/${reference}`,
    );
    const digest = readFileSync(digestFile, "utf8").trim();
    rmSync(directory, { recursive: true });
    return digest;
  }
}

function filesBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true, encoding: "utf8" })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}
