// Runs on the host, under the host's lock: makes one service's files and units what the bundle on stdin says.
// Idempotent, and safe to kill at any step: what is left to do is written down before it becomes necessary.
import { spawnSync } from "node:child_process";
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
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Bundle, BundleFile, OnChange } from "../../model/bundle.ts";
import { hostPaths } from "../../model/paths.ts";
import { substitute } from "./substitute.ts";

interface Manifest {
  files: string[];
  units: string[];
  held: string[];
  /** sha256 of each file as it was written, for whoever looks for changes by hand. */
  digests: Record<string, string>;
  /** What has to happen when one of the files leaves the bundle. */
  onChange: Record<string, OnChange>;
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
  const manifests = join(stateDirectory, "manifests");
  const manifestFile = join(manifests, `${bundle.service}.json`);
  const before = readManifest(manifestFile);
  // A file or unit that moved to another service is that service's now.
  const others = otherManifests(manifests, bundle.service);
  const secrets = readSecrets(at(hostPaths.secrets));
  const systemctl = (...args: string[]) => mustRun(machine, "systemctl", args);

  // All secrets are found before the first write.
  const contents = new Map(
    Object.entries(bundle.files).map(([path, file]) => [path, substitute(file.content, secrets, path)]),
  );

  const units = [...bundle.units, ...bundle.managedUnits];
  const onChange = Object.fromEntries(
    Object.entries(bundle.files).flatMap(([path, file]) => (file.onChange ? [[path, file.onChange]] : [])),
  );
  const { held } = bundle;
  const digests = Object.fromEntries([...contents].map(([path, content]) => [path, digest(content)]));
  const manifest: Manifest = { files: [...contents.keys()], units, held, digests, onChange };
  // The manifest first covers old and new, so that a killed run forgets nothing it has to remove later.
  writeFile(
    manifestFile,
    JSON.stringify({
      files: union(before.files, manifest.files),
      units: union(before.units, units),
      held: union(before.held, held),
      digests: { ...before.digests, ...digests },
      onChange: { ...before.onChange, ...onChange },
    } satisfies Manifest),
    0o600,
  );

  for (const unit of before.units.filter((unit) => !units.includes(unit) && !others.units.has(unit))) {
    machine.log(`stopping ${unit}: it left the configuration`);
    // Fails for a unit whose file is gone already; what counts is that it does not run.
    const { output } = machine.run("systemctl", ["disable", "--now", unit]);
    if (isUp(unit, machine)) throw new Error(`${unit} left the configuration, but does not stop:\n${output}`);
    restartNeeded.remove(unit);
    pending.remove(`reload ${unit}`);
  }

  /** Written down before the change: whoever is killed after it leaves the mark to the next run. */
  const markChange = (path: string, mark: OnChange) => {
    if (mark && "reload" in mark) pending.add(`reload ${mark.reload}`, path);
    // A unit that is down reads the new file when it starts.
    if (mark && "restart" in mark && isUp(mark.restart, machine)) restartNeeded.add(mark.restart, path);
    if (isUnit(path)) pending.add("daemon-reload", path);
  };
  const write = (paths: string[], changed: string[]) => {
    for (const path of paths) {
      const file = bundle.files[path] as BundleFile;
      const content = contents.get(path) as string;
      if (isCurrent(at(path), file, content, machine)) {
        rmSync(`${at(path)}.new`, { force: true });
        continue;
      }
      markChange(path, file.onChange);
      writeFile(at(path), content, Number.parseInt(file.mode, 8), (aside) => setOwner(file.owner, aside, machine));
      changed.push(path);
    }
  };

  const changed: string[] = [];
  // Files of packages not yet installed may belong to users that do not exist yet: root's files go first.
  const early = [...contents.keys()].filter((path) => !bundle.files[path]?.owner);
  write(early, changed);
  installPackages(bundle.packages, machine);
  hold(
    before.held.filter((name) => !held.includes(name)),
    held,
    machine,
  );
  for (const [path, { mode, owner }] of Object.entries(bundle.directories)) {
    mkdirSync(at(path), { recursive: true });
    chmodSync(at(path), Number.parseInt(mode, 8));
    setOwner(owner, at(path), machine);
  }
  write(
    [...contents.keys()].filter((path) => bundle.files[path]?.owner),
    changed,
  );

  for (const path of before.files.filter((path) => !contents.has(path) && !others.files.has(path))) {
    rmSync(`${at(path)}.new`, { force: true });
    if (!existsSync(at(path))) continue;
    markChange(path, before.onChange[path]);
    unlinkSync(at(path));
    changed.push(path);
  }

  for (const mark of pending.list().sort()) {
    const [verb, what = ""] = mark.split(/ (.*)/s);
    const file = /^sysctl (.+)/.exec(what)?.[1];
    if (verb === "daemon-reload") systemctl("daemon-reload");
    else if (!file && isUp(what, machine)) systemctl("reload-or-restart", what);
    else if (file && existsSync(at(file))) mustRun(machine, "sysctl", ["-q", "-p", file]);
    pending.remove(mark);
  }
  for (const unit of bundle.units) {
    if (machine.run("systemctl", ["is-enabled", "--quiet", unit]).status !== 0) systemctl("enable", "--quiet", unit);
    if (stateOf(unit, machine) !== "active") systemctl("start", unit);
  }
  writeFile(manifestFile, JSON.stringify(manifest), 0o600);
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

/** systemd's word for a unit: active, activating, inactive, failed, … */
const stateOf = (unit: string, machine: Machine) => machine.run("systemctl", ["is-active", unit]).output.trim();
/** Whether a unit runs or is about to, with the files it has read already. */
const isUp = (unit: string, machine: Machine) =>
  ["active", "activating", "reloading", "refreshing"].includes(stateOf(unit, machine));
const union = (a: string[], b: string[]) => [...new Set([...a, ...b])];
const isUnit = (path: string) => path.startsWith("/etc/systemd/system/");

/** Earlier manifests had no `digests` and no `held`, and the first no `onChange`. */
function readManifest(file: string): Manifest {
  const empty: Manifest = { files: [], units: [], held: [], digests: {}, onChange: {} };
  return existsSync(file) ? { ...empty, ...JSON.parse(readFileSync(file, "utf8")) } : empty;
}

function otherManifests(directory: string, service: string): { files: Set<string>; units: Set<string> } {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const manifests = names
    .filter((name) => name.endsWith(".json") && name !== `${service}.json`)
    .map((name) => readManifest(join(directory, name)));
  return {
    files: new Set(manifests.flatMap(({ files }) => files)),
    units: new Set(manifests.flatMap(({ units }) => units)),
  };
}

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

function setOwner(owner: string | undefined, path: string, machine: Machine) {
  if (owner) mustRun(machine, "chown", [owner, path]);
}

/** Looks the numbers up by the system's own `id`-like tool, for users may come from a package installed a moment ago. */
function ownerOf(file: BundleFile, machine: Machine): Owner {
  if (!file.owner) return { uid: 0, gid: 0 };
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
  const owner = ownerOf(file, machine);
  const sameOwner = machine.root !== "/" || (status.uid === owner.uid && status.gid === owner.gid);
  return (
    sameOwner &&
    (status.mode & 0o777) === Number.parseInt(file.mode, 8) &&
    digest(readFileSync(path)) === digest(content)
  );
}

const digest = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");

/**
 * Writes aside, gives it away, syncs, renames, syncs the directory: after a power cut there is the old file or the new one,
 * and at no time one that the wrong user can read.
 */
function writeFile(path: string, content: string, mode: number, giveAway?: (temporary: string) => void) {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true });
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const handle = openSync(temporary, "wx", 0o600);
  writeFileSync(handle, content);
  fsyncSync(handle);
  closeSync(handle);
  giveAway?.(temporary);
  chmodSync(temporary, mode);
  renameSync(temporary, path);
  const parent = openSync(directory, "r");
  fsyncSync(parent);
  closeSync(parent);
}

/** Installs what is missing. Nothing of ours starts by that: the bundle `system` brings a policy-rc.d. */
function installPackages(packages: string[], machine: Machine) {
  const missing = packages.filter(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholder
    (name) => !machine.run("dpkg-query", ["-W", "-f=${db:Status-Status}", name]).output.startsWith("installed"),
  );
  if (missing.length === 0) return;
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
}

function hold(released: string[], held: string[], machine: Machine) {
  if (released.length > 0) mustRun(machine, "apt-mark", ["unhold", ...released]);
  if (held.length === 0) return;
  const now = machine.run("apt-mark", ["showhold"]).output.split("\n");
  const missing = held.filter((name) => !now.includes(name));
  if (missing.length > 0) mustRun(machine, "apt-mark", ["hold", ...missing]);
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
