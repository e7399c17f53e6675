/** What the machine must be and have before a lab can be built on it; missing programs are installed. */
import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { LabError } from "./errors.ts";
import { run, succeeds } from "./processes.ts";

type Log = (line: string) => void;

/** Program to Debian package; Ubuntu's have the same names. */
const programs: Record<string, string> = {
  debootstrap: "debootstrap",
  "systemd-nspawn": "systemd-container",
  ip: "iproute2",
  iptables: "iptables",
  "iptables-save": "iptables",
  "mkfs.ext4": "e2fsprogs",
  losetup: "mount",
  mount: "mount",
  unshare: "util-linux",
  setpriv: "util-linux",
  flock: "util-linux",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  bindfs: "bindfs",
};
const keyring = { path: "/usr/share/keyrings/debian-archive-keyring.gpg", package: "debian-archive-keyring" };

export async function ensurePrerequisites(log: Log): Promise<void> {
  await requireDebian();
  requireRoot();
  const missing = await missingPackages();
  if (missing.length > 0) await install(missing, log);
  await requireKernel();
}

/** Every verb changes the machine's network, mounts and processes. */
export function requireRoot(): void {
  if (process.platform === "linux" && process.getuid?.() === 0) return;
  throw new LabError("The lab makes hosts, networks and mounts on this machine, so it must run as root: use sudo.");
}

async function requireDebian(): Promise<void> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  if (process.platform === "linux" && isDebianFamily(release)) return;
  const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(release)?.[1] ?? process.platform;
  throw new LabError(
    `The lab needs a Debian or Ubuntu machine and this is ${name}. Use a virtual machine with Debian 12 or newer, ` +
      "or a stack with the target `hosts`.",
  );
}

export function isDebianFamily(osRelease: string): boolean {
  const fields = [...osRelease.matchAll(/^(?:ID|ID_LIKE)=["']?([^"'\n]*)/gm)].flatMap((match) => match[1]?.split(" "));
  return fields.includes("debian") || fields.includes("ubuntu");
}

async function missingPackages(): Promise<string[]> {
  const missing = new Set<string>();
  const directories = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  for (const [program, name] of Object.entries(programs)) {
    const found = await Promise.any(
      directories.map((directory) => access(`${directory}/${program}`, constants.X_OK)),
    ).catch(() => "missing");
    if (found === "missing") missing.add(name);
  }
  await access(keyring.path).catch(() => missing.add(keyring.package));
  return [...missing];
}

async function install(packages: string[], log: Log): Promise<void> {
  log(`Installing on this machine: ${packages.join(", ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const aptGet = (...args: string[]) =>
    run("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=300", ...args], { env, outlives: true });
  const attempt = () => aptGet("install", "-y", "--no-install-recommends", ...packages);
  try {
    await attempt();
  } catch {
    // The lists may be too old to find the packages.
    await aptGet("update");
    await attempt();
  }
}

async function requireKernel(): Promise<void> {
  const known = async () => (await readFile("/proc/filesystems", "utf8")).split(/\s+/);
  for (const module of ["overlay", "ext4", "fuse"]) {
    if ((await known()).includes(module)) continue;
    await succeeds("modprobe", [module]);
    if ((await known()).includes(module)) continue;
    throw new LabError(`This machine's kernel has no ${module} file system, which the lab's hosts need.`);
  }
  await succeeds("modprobe", ["loop"]);
  await access("/dev/loop-control").catch(() => {
    throw new LabError("This machine's kernel has no loop devices, which the lab's disks need.");
  });
}
