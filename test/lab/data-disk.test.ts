import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

// How a node in a cloud gets its data disk: the real script on a real block device, in a mount namespace of its own.
const script = join(import.meta.dirname, "../../components/infrastructure/aliyun/host/data-disk.sh");
let place: string;
let device: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "harbor-ha-data-disk-"));
  const image = join(place, "disk.img");
  writeFileSync(image, "");
  truncateSync(image, 64 * 1024 * 1024);
  device = run("losetup", "--find", "--show", image).stdout.trim();
  symlinkSync(device, join(place, "virtio-bp1data"));
});
afterEach(() => {
  run("losetup", "--detach", device);
  rmSync(place, { recursive: true });
});

const run = (program: string, ...words: string[]) => spawnSync(program, words, { encoding: "utf8" });

/** In a namespace with its own /etc, whose fstab is empty at first and kept in the test's directory. */
function inside(commands: string) {
  const own = `set -e; mkdir -p ${place}/etc ${place}/postgresql; [ -e ${place}/etc/passwd ] || { cp -a /etc/. ${place}/etc; : > ${place}/etc/fstab; }; mount --bind ${place}/etc /etc; export DEVICES=${place}`;
  return run("unshare", "--mount", "sh", "-c", `${own}; ${commands}`);
}
const mount = () => `sh ${script} bp1data ${place}/postgresql 0`;

test("a blank disk gets a file system and is mounted, now and at every boot; again changes nothing", () => {
  const first = inside(
    `${mount()}; findmnt -nro FSTYPE ${place}/postgresql; echo kept > ${place}/postgresql/file; ${mount()}`,
  );
  expect([first.status, first.stdout, first.stderr]).toEqual([0, "ext4\n", ""]);
  const second = inside(`${mount()}; cat ${place}/postgresql/file; grep -c ${place}/postgresql /etc/fstab`);
  expect([second.status, second.stdout]).toEqual([0, "kept\n1\n"]);
  const byFstab = inside(`mount ${place}/postgresql; cat ${place}/postgresql/file`);
  expect([byFstab.status, byFstab.stdout]).toEqual([0, "kept\n"]);
});

test("a disk that has grown gives its space to the directory while it is mounted, or `up` ends with what to do", () => {
  const megabytes = `df --output=size -m ${place}/postgresql | tail -1`;
  const grow = `truncate -s 256M ${place}/disk.img; losetup -c ${device}`;
  const { status, stdout, stderr } = inside(`${mount()}; ${megabytes}; ${grow}; ${mount()}; ${megabytes}`);
  // The kernel grows a mounted file system for CAP_SYS_RESOURCE (24) only, which root has on a node, and not on every machine that tests.
  const capabilities = /^CapEff:\s*(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  if ((BigInt(`0x${capabilities}`) >> 24n) & 1n) {
    const [before, after] = stdout.trim().split(/\s+/).map(Number);
    expect([status, after]).toEqual([0, expect.any(Number)]);
    expect(after).toBeGreaterThan(Number(before) * 3);
  } else {
    expect(status).not.toBe(0);
    expect(stderr).toMatch(new RegExp(`file system of ${place}/postgresql cannot grow .*resize2fs`));
  }
});

test("a disk that has not grown yet is waited for, and not for ever", () => {
  const hurried = `mkdir -p ${place}/bin; printf '#!/bin/sh\nshift; exec /usr/bin/timeout 1 "$@"' > ${place}/bin/timeout; chmod +x ${place}/bin/timeout`;
  const { status, stderr } = inside(`${hurried}; PATH=${place}/bin:$PATH sh ${script} bp1data ${place}/postgresql 1`);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/has not grown to 1 GB: .*pulumi up again/)]);
});

test.each([
  [
    "a disk that holds something unknown",
    () => `printf precious | dd of=${device} conv=notrunc status=none`,
    "not blank",
  ],
  ["a disk with another file system", () => `mkswap -q ${device}`, "something else than ext4"],
  ["a directory that holds data", () => `echo 17 > ${place}/postgresql/PG_VERSION`, "holds data already"],
  [
    "a directory on another disk",
    () => `mount -t tmpfs none ${place}/postgresql; mkfs.ext4 -q ${device}`,
    "on another disk already",
  ],
])("%s is refused, and left as it is", (_, before, words) => {
  const { status, stderr } = inside(
    `${before()}; sum=$(sha256sum < ${device}); ${mount()} 2>&1 && exit 9; [ "$sum" = "$(sha256sum < ${device})" ] || exit 8; [ ! -s /etc/fstab ]`,
  );
  const again = inside(`${before()}; ${mount()}`);
  expect([status, stderr]).toEqual([0, ""]);
  expect(again.stderr).toContain(words);
});
