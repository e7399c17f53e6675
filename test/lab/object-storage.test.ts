import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import spawn from "nano-spawn";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hostAddress } from "../../components/model/address.ts";
import type { RecordAccess } from "../../components/model/record.ts";
import { sshArguments } from "../../scripts/lab/lab.ts";
import { ObjectStore } from "../../scripts/record/object-store.ts";
import { s3Bucket } from "../../scripts/record/s3-bucket.ts";
import { until } from "../../scripts/roll/wait.ts";
import { asRoot, initStackOn, makeMachines } from "../support/machines.ts";
import { makeImage } from "../support/registry.ts";
import { LabStack, testStack, testSubnet } from "../support/stack.ts";

// Images and the cluster record in buckets of a real object storage: Ceph's gateway, on a third machine.
const store = { name: "store", address: hostAddress(testSubnet, 14) };
const endpoint = `http://${store.address}:7480`;
const keys = { accessKeyId: "TESTACCESSKEY", secretAccessKey: "secret-key-of-the-test" };
const place: Extract<RecordAccess, { kind: "s3" }> = {
  kind: "s3",
  endpoint,
  region: "us-east-1",
  bucket: "record",
  prefix: "harbor-ha/record",
  ...keys,
};
const buckets = {
  "storage.s3.endpoint": endpoint,
  "storage.s3.bucket": "images",
  "storage.s3.accessKeyId": keys.accessKeyId,
  "record.s3.endpoint": endpoint,
  "record.s3.bucket": place.bucket,
  "record.s3.accessKeyId": keys.accessKeyId,
};
const client = new AwsClient({ ...keys, region: "us-east-1", service: "s3" });
let stack: LabStack;
const up = () => stack.run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
const set = (...words: string[]) => stack.ok("pulumi", "config", "set", "--path", ...words);
const storeAt = (at = place, prefix = place.prefix) => new ObjectStore(s3Bucket(at), prefix);
const epochs = async () => (await storeAt().numbers(0)).sort((a, b) => a - b);
const newestEpoch = async () =>
  JSON.parse((await stack.ok("harbor-ha", "record", "show", "--json")).stdout).entries[0].epoch;

beforeAll(async () => {
  stack = await LabStack.fresh();
  await makeMachines([store]);
  const script = readFileSync(join(import.meta.dirname, "../support/ceph/start.sh"), "utf8");
  await spawn("ssh", [...sshArguments(testStack, store.name), `sh -s ${store.address} 7480`], {
    stdin: { string: script },
  });
  // The first object makes the gateway's pools, which takes seconds.
  for (const path of ["record", "record/warm", "second", "images", "images/warm"])
    await until(`the object storage takes ${path}`, 60_000, async () =>
      client.fetch(`${endpoint}/${path}`, { method: "PUT" }).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
});
afterAll(() => LabStack.remove());

test("four writers race for 100 entries: each has one winner, and everybody reads it", async () => {
  const trial = storeAt(place, "trial");
  for (let number = 1; number <= 100; number++) {
    const results = await Promise.all([1, 2, 3, 4].map(() => storeAt(place, "trial").create(number, `${number}`)));
    expect(results.filter((result) => result === "created")).toHaveLength(1);
  }
  expect(await trial.numbers(95)).toEqual([96, 97, 98, 99, 100]);
  await trial.clear();
  expect(await trial.numbers(0)).toEqual([]);
});

test("a pair begins with everything in buckets, and the buckets' secret stands in files of root alone", async () => {
  await initStackOn(stack, buckets);
  await set("--secret", "harbor-ha:storage.s3.secretAccessKey", keys.secretAccessKey);
  await set("--secret", "harbor-ha:record.s3.secretAccessKey", keys.secretAccessKey);
  const { code, stdout, stderr } = await up();
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("prove that the storage lets only one node create each entry");
  expect(stdout).not.toContain(keys.secretAccessKey);
  await stack.untilStatus("the pair is healthy", ({ healthy }) => healthy);
  expect((await epochs()).slice(0, 3)).toEqual([1, 2, 3]);
  for (const node of ["node1", "node2"]) {
    const found = await stack.onHost(
      node,
      `grep -rlF ${keys.secretAccessKey} /etc /opt /proc/[0-9]*/cmdline 2>/dev/null`,
    );
    const files = found.stdout.trim().split("\n");
    expect(files).toContain("/etc/harbor-ha/agent.json");
    expect(files).toContain("/opt/harbor/harbor.yml");
    const readable = `runuser -u nobody -- cat ${files.join(" ")} 2>/dev/null | grep -cF ${keys.secretAccessKey}`;
    expect((await stack.onHost(node, readable)).stdout.trim()).toBe("0");
  }
});

test("an image pushed through the endpoint lies in the bucket, and is pulled from each node", async () => {
  const image = makeImage([200_000, 3_000_000]);
  await (await stack.registry()).push("library/bucket", "1", image);
  for (const node of ["node1", "node2"])
    expect(await (await stack.registry(node)).pull("library/bucket", image.digest)).toBe(image.digest);
  const listed = await client.fetch(`${endpoint}/images?list-type=2&prefix=harbor/docker/registry/v2/blobs`);
  expect((await listed.text()).match(/<Key>/g)?.length).toBeGreaterThanOrEqual(image.blobs.size);
  expect((await stack.onHost("node1", "ls /mnt/harbor-ha")).stdout).not.toContain("registry");
});

test("the standby's loss is recorded there; both nodes off and on come back by it", async () => {
  const before = await newestEpoch();
  await stack.ok("harbor-ha", "lab", "poweroff", "node2");
  await stack.untilStatus("writes go on without it", () => true);
  await until("the record says so", 60_000, async () => (await newestEpoch()) > before);
  await stack.ok("harbor-ha", "lab", "poweroff", "node1");
  for (const node of ["node1", "node2"]) await stack.ok("harbor-ha", "lab", "poweron", node);
  await stack.untilStatus("the pair is healthy", ({ healthy }) => healthy, 180);
});

test("the object storage gone: the primary serves on while its peer answers, and a reboot waits for the storage", async () => {
  await asRoot(store.name, "pkill -STOP -f ^radosgw");
  await stack.untilStatus("it is noticed", ({ findings }) => findings.some(({ id }) => id === "record.unreadable"));
  expect((await stack.status()).nodes[0]?.host?.postgres.role).toBe("primary");
  await stack.ok("harbor-ha", "lab", "poweroff", "node1");
  await stack.ok("harbor-ha", "lab", "poweron", "node1");
  await stack.untilStatus(
    "it says why it waits",
    ({ findings }) => findings.some(({ id, node }) => node === "node1" && id === "boot.record-unreadable"),
    120,
  );
  await asRoot(store.name, "pkill -CONT -f ^radosgw");
  await stack.untilStatus("the pair is healthy", ({ healthy }) => healthy, 180);
});

test("the record moves to another bucket; without the move `up` refuses", async () => {
  await set("harbor-ha:record.s3.bucket", "second");
  const refused = await up();
  expect(refused.code).not.toBe(0);
  expect(refused.stdout).toContain("run harbor-ha record move first");
  const before = await newestEpoch();
  await stack.ok("harbor-ha", "record", "move");
  expect((await up()).code).toBe(0);
  await stack.untilStatus("the pair is healthy", ({ healthy }) => healthy);
  const moved = await storeAt({ ...place, bucket: "second" }).numbers(0);
  expect(moved.length).toBeGreaterThanOrEqual(before);
  await stack.ok("harbor-ha", "lab", "poweroff", "node1");
  await stack.ok("harbor-ha", "lab", "poweron", "node1");
  await stack.untilStatus("it starts by the moved record", ({ healthy }) => healthy, 180);
});
