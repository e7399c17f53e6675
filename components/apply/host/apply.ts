// Runs on the host, under the host's lock: makes one service's files and units what the bundle on stdin says.
// Idempotent, and safe to kill at any step: what is left to do is written down before it becomes necessary.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Bundle, BundleFile } from "../../model/bundle.ts";
import { hostPaths } from "../../model/paths.ts";
import { substitute } from "./substitute.ts";

interface Manifest {
  files: string[];
  units: string[];
}

/** What runs commands and where the tree begins; tests give their own. */
export interface Machine {
  root: string;
  run: (program: string, args: string[]) => { status: number; output: string };
  log: (line: string) => void;
}

/** Applies a bundle. @returns the paths that changed, and the units that `roll` has to restart. */
export function apply(bundle: Bundle, machine: Machine): { changed: string[]; restartNeeded: string[] } {
  const at = (path: string) => join(machine.root, path);
  const stateDirectory = at(hostPaths.state);
  const pending = new Marks(join(stateDirectory, "pending"));
  const restartNeeded = new Marks(join(stateDirectory, "restart-needed"));
  const manifestFile = join(stateDirectory, "manifests", `${bundle.service}.json`);
  const before: Manifest = existsSync(manifestFile)
    ? JSON.parse(readFileSync(manifestFile, "utf8"))
    : { files: [], units: [] };
  const secrets = readSecrets(at(hostPaths.secrets));
  const systemctl = (...args: string[]) => mustRun(machine, "systemctl", args);

  // All secrets are found before the first write.
  const contents = new Map(
    Object.entries(bundle.files).map(([path, file]) => [path, substitute(file.content, secrets, path)]),
  );

  const units = [...bundle.units, ...bundle.managedUnits];
  for (const unit of before.units.filter((unit) => !units.includes(unit))) {
    machine.log(`stopping ${unit}: it left the configuration`);
    machine.run("systemctl", ["disable", "--now", unit]);
  }

  // The manifest first covers old and new, so that a killed run forgets nothing it has to remove later.
  writeFile(
    manifestFile,
    JSON.stringify({ files: union(before.files, [...contents.keys()]), units: union(before.units, units) }),
    0o600,
  );

  const write = (paths: string[], changed: string[]) => {
    for (const path of paths) {
      const file = bundle.files[path] as BundleFile;
      const content = contents.get(path) as string;
      if (isCurrent(at(path), file, content, machine)) continue;
      const mark = file.onChange;
      if (mark && "reload" in mark) pending.add(`reload ${mark.reload}`, path);
      // A unit that is down reads the new file when it starts.
      if (mark && "restart" in mark && isActive(mark.restart, machine)) restartNeeded.add(mark.restart, path);
      if (isUnit(path)) pending.add("daemon-reload", path);
      writeFile(at(path), content, Number.parseInt(file.mode, 8), ownerOf(file, machine));
      changed.push(path);
    }
  };

  const changed: string[] = [];
  // Files of packages not yet installed may belong to users that do not exist yet: root's files go first.
  const early = [...contents.keys()].filter((path) => !bundle.files[path]?.owner);
  write(early, changed);
  installPackages(bundle.packages, machine);
  for (const [path, { mode, owner }] of Object.entries(bundle.directories)) {
    mkdirSync(at(path), { recursive: true });
    chmodSync(at(path), Number.parseInt(mode, 8));
    if (owner) mustRun(machine, "chown", [owner, at(path)]);
  }
  write(
    [...contents.keys()].filter((path) => bundle.files[path]?.owner),
    changed,
  );

  for (const path of before.files.filter((path) => !contents.has(path))) {
    if (!existsSync(at(path))) continue;
    if (isUnit(path)) pending.add("daemon-reload", path);
    unlinkSync(at(path));
    changed.push(path);
  }

  for (const mark of pending.list().sort()) {
    if (mark === "daemon-reload") systemctl("daemon-reload");
    else {
      const unit = mark.slice("reload ".length);
      if (unit.startsWith("sysctl ")) mustRun(machine, "sysctl", ["-q", "-p", unit.slice("sysctl ".length)]);
      else if (isActive(unit, machine)) systemctl("reload-or-restart", unit);
    }
    pending.remove(mark);
  }
  for (const unit of bundle.units) {
    if (machine.run("systemctl", ["is-enabled", "--quiet", unit]).status !== 0) systemctl("enable", "--quiet", unit);
    if (!isActive(unit, machine)) systemctl("start", unit);
  }
  writeFile(manifestFile, JSON.stringify({ files: [...contents.keys()], units }), 0o600);
  return { changed, restartNeeded: restartNeeded.list() };
}

/** Small files whose names are facts; each holds the paths that caused it. */
class Marks {
  private readonly directory: string;
  constructor(directory: string) {
    this.directory = directory;
  }
  add(name: string, cause: string) {
    writeFile(join(this.directory, encodeURIComponent(name)), `${cause}\n`, 0o600);
  }
  remove(name: string) {
    rmSync(join(this.directory, encodeURIComponent(name)), { force: true });
  }
  list(): string[] {
    return existsSync(this.directory)
      ? readdirSync(this.directory)
          .filter((name) => !name.endsWith(".new"))
          .map(decodeURIComponent)
      : [];
  }
}

const isActive = (unit: string, machine: Machine) => machine.run("systemctl", ["is-active", "--quiet", unit]).status === 0;
const union = (a: string[], b: string[]) => [...new Set([...a, ...b])];
const isUnit = (path: string) => path.startsWith("/etc/systemd/system/");

function readSecrets(file: string): Record<string, string> {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
}

function mustRun(machine: Machine, program: string, args: string[]) {
  const { status, output } = machine.run(program, args);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed (exit ${status}):\n${output.slice(-4000)}`);
}

interface Owner {
  uid: number;
  gid: number;
}

/** Looks the numbers up by the system's own `id`-like tool, for users may come from a package installed a moment ago. */
function ownerOf(file: BundleFile, machine: Machine): Owner | undefined {
  if (!file.owner) return undefined;
  const [user = "root", group = user] = file.owner.split(":");
  return { uid: lookUp(machine, "passwd", user), gid: lookUp(machine, "group", group) };
}

function lookUp(machine: Machine, database: "passwd" | "group", name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const { status, output } = machine.run("getent", [database, name]);
  if (status !== 0) throw new Error(`no such ${database === "passwd" ? "user" : "group"} on this host: ${name}`);
  return Number(output.split(":")[2]);
}

function isCurrent(path: string, file: BundleFile, content: string, machine: Machine): boolean {
  if (!existsSync(path) || !lstatSync(path).isFile()) return false;
  const status = statSync(path);
  const owner = ownerOf(file, machine) ?? { uid: 0, gid: 0 };
  const sameOwner = machine.root !== "/" || (status.uid === owner.uid && status.gid === owner.gid);
  return (
    sameOwner &&
    (status.mode & 0o777) === Number.parseInt(file.mode, 8) &&
    digest(readFileSync(path)) === digest(content)
  );
}

const digest = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");

/** Writes aside, syncs, renames, syncs the directory: after a power cut there is the old file or the new one. */
function writeFile(path: string, content: string, mode: number, owner?: Owner) {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true });
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const handle = openSync(temporary, "wx", 0o600);
  writeSync(handle, content);
  fsyncSync(handle);
  closeSync(handle);
  if (owner) execFileSync("chown", [`${owner.uid}:${owner.gid}`, temporary]);
  chmodSync(temporary, mode);
  renameSync(temporary, path);
  const parent = openSync(directory, "r");
  fsyncSync(parent);
  closeSync(parent);
}

/** Installs what is missing, without starting any daemon. */
function installPackages(packages: string[], machine: Machine) {
  const missing = packages.filter(
    (name) => !machine.run("dpkg-query", ["-W", "-f=${db:Status-Status}", name]).output.startsWith("installed"),
  );
  if (missing.length === 0) return;
  const policy = join(machine.root, "/usr/sbin/policy-rc.d");
  writeFile(policy, "#!/bin/sh\nexit 101\n", 0o755);
  try {
    mustRun(machine, "dpkg", ["--configure", "-a"]);
    const install = [
      "-q",
      "-y",
      "-o",
      "DPkg::Lock::Timeout=300",
      "-o",
      "Dpkg::Options::=--force-confold",
      "--no-install-recommends",
      "install",
      ...missing,
    ];
    // Package lists may be absent or too old: one refresh, then again.
    if (machine.run("apt-get", install).status !== 0) {
      mustRun(machine, "apt-get", ["-q", "-y", "update"]);
      mustRun(machine, "apt-get", install);
    }
  } finally {
    rmSync(policy, { force: true });
  }
}

/** The real machine. */
export const thisMachine: Machine = {
  root: "/",
  run: (program, args) => {
    const result = spawnSync(program, args, {
      encoding: "utf8",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
      maxBuffer: 64 << 20,
    });
    if (result.error) throw new Error(`${program}: ${result.error.message}`);
    return { status: result.status ?? 1, output: `${result.stdout}${result.stderr}` };
  },
  log: (line) => console.error(line),
};
