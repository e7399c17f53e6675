/** The system every host starts from: built once, kept in the cache, read-only from then on. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, copyFile, link, mkdir, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { renderSources } from "./apt-sources.ts";
import { pruneBases, touchBase } from "./base-cache.ts";
import { basePackages, dpkgFiles, enabledUnits, maskedUnits, mountPoints, removed, systemFiles } from "./base-files.ts";
import { LabError } from "./errors.ts";
import { withLock } from "./lock.ts";
import { type MachineApt, readMachineApt } from "./machine-apt.ts";
import { cacheDirectory } from "./paths.ts";
import { run, runContained } from "./processes.ts";

type Log = (line: string) => void;
const suite = "trixie";
/** Count up when the steps of `build` change, so that bases built the old way are not taken for the new. */
const recipe = 2;

/** Gives the base's directory, marked as used by the lab; builds it if need be. Safe beside other labs doing the same. */
export async function ensureBase(prefetch: readonly string[], labDirectory: string, log: Log): Promise<string> {
  const cache = cacheDirectory();
  await mkdir(cache, { recursive: true, mode: 0o755 });
  const apt = await readMachineApt();
  const base = `${cache}/base-${await hashInputs(prefetch, apt)}`;
  return withLock(`${cache}/base.lock`, "exclusive", "the base image", log, async () => {
    if (existsSync(base)) log(`Base image ${base} is there`);
    else await build(base, prefetch, apt, log);
    await touchBase(base, labDirectory);
    await pruneBases(cache, base, log);
    return base;
  });
}

async function hashInputs(prefetch: readonly string[], apt: MachineApt): Promise<string> {
  const files = [dpkgFiles, systemFiles, enabledUnits, maskedUnits, mountPoints, removed];
  const inputs = [recipe, suite, await architecture(), basePackages, files, [...new Set(prefetch)].sort(), apt];
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 12);
}

async function architecture(): Promise<string> {
  return run("dpkg", ["--print-architecture"]);
}

/** Works in one fixed place, so that what a killed build left is thrown away by the next. */
async function build(base: string, prefetch: readonly string[], apt: MachineApt, log: Log): Promise<void> {
  const cache = dirname(base);
  const target = `${cache}/building`;
  const phase = async (title: string, work: () => Promise<unknown>) => {
    const start = Date.now();
    log(`Base image: ${title} …`);
    await work();
    log(`Base image: ${title} took ${((Date.now() - start) / 1000).toFixed(1)} s`);
  };
  await rm(target, { recursive: true, force: true });
  await mkdir(`${target}/root`, { recursive: true, mode: 0o700 });
  const root = `${target}/root`;
  await chmod(root, 0o755);
  await writeFiles(root, dpkgFiles);
  await phase(`Debian ${suite} from the machine's mirror`, () => bootstrap(root, `${cache}/packages`, apt));
  await configure(root, apt);
  await phase("newer versions", () => upgrade(root));
  if (prefetch.length > 0) await phase("packages to have at hand", () => download(root, `${cache}/packages`, prefetch));
  await phase("cleaning and saving", () => finish(root));
  await rename(root, base);
  await rm(target, { recursive: true, force: true });
}

async function bootstrap(root: string, packages: string, apt: MachineApt): Promise<void> {
  await mkdir(packages, { recursive: true });
  const scripts = "/usr/share/debootstrap/scripts";
  const script = existsSync(`${scripts}/${suite}`) ? `${scripts}/${suite}` : `${scripts}/sid`;
  const proxy = /Acquire::http::Proxy "([^"]+)"/i.exec(apt.settings)?.[1];
  const options = ["--variant=minbase", `--include=${basePackages.join(",")}`, `--cache-dir=${packages}`];
  await runContained("debootstrap", [...options, suite, root, apt.mirrors.archive, script], {
    env: { ...(proxy ? { http_proxy: proxy } : {}) },
  }).catch((error: Error) => {
    throw new LabError(`Debian ${suite} could not be installed from ${redact(apt.mirrors.archive)}. ${error.message}`);
  });
}

async function configure(root: string, apt: MachineApt): Promise<void> {
  await rm(`${root}/etc/apt/sources.list`, { force: true });
  await writeFiles(root, systemFiles);
  await writeFiles(root, {
    "etc/apt/sources.list.d/debian.sources": renderSources(apt.mirrors, suite),
    "etc/apt/apt.conf.d/85machine": apt.settings,
  });
  for (const [name, text] of Object.entries(apt.authorities)) {
    await writeFiles(root, { [`usr/local/share/ca-certificates/${name}`]: text });
  }
  if (Object.keys(apt.authorities).length > 0) await inside(root, ["update-ca-certificates"]);
  for (const unit of maskedUnits) await relink("/dev/null", `${root}/etc/systemd/system/${unit}`);
  for (const [unit, target] of Object.entries(enabledUnits)) {
    await relink(`/usr/lib/systemd/system/${unit}`, `${root}/etc/systemd/system/${target}/${unit}`);
  }
  for (const directory of mountPoints) await mkdir(`${root}/${directory}`, { recursive: true });
}

/** debootstrap knows nothing of updates and security fixes. */
async function upgrade(root: string): Promise<void> {
  await copyFile(await resolverFile(), `${root}/etc/resolv.conf`);
  await inside(root, ["apt-get", "-q", "update"]);
  await inside(root, ["apt-get", "-q", "-y", "dist-upgrade"]);
  await inside(root, ["apt-get", "clean"]);
}

/** Packages already fetched for an earlier base are linked in; new ones are linked back for the next. */
async function download(root: string, packages: string, prefetch: readonly string[]): Promise<void> {
  const archives = `${root}/var/cache/apt/archives`;
  await linkPackages(packages, archives);
  await inside(root, ["apt-get", "-q", "-y", "install", "--download-only", ...prefetch]).catch((error: Error) => {
    throw new LabError(`The packages ${prefetch.join(", ")} could not be downloaded. ${error.message}`);
  });
  await inside(root, ["apt-get", "-q", "autoclean"]);
  await linkPackages(archives, packages);
}

async function finish(root: string): Promise<void> {
  for (const path of removed) await rm(`${root}/${path}`, { force: true });
  const keys = (await readdir(`${root}/etc/ssh`)).filter((name) => name.startsWith("ssh_host_"));
  for (const key of keys) await rm(`${root}/etc/ssh/${key}`);
  for (const log of ["var/log/bootstrap.log", "var/log/dpkg.log", "var/log/apt"]) {
    await rm(`${root}/${log}`, { recursive: true, force: true });
  }
  await mkdir(`${root}/var/log/apt`);
  await writeFile(`${root}/etc/machine-id`, "");
  await run("sync", ["--file-system", root]);
}

/** The machine's resolver as hosts can reach it: not the stub on the loopback. */
export async function resolverFile(): Promise<string> {
  const real = "/run/systemd/resolve/resolv.conf";
  return existsSync(real) ? real : "/etc/resolv.conf";
}

async function inside(root: string, command: string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  await runContained("chroot", [root, ...command], { env });
}

async function linkPackages(from: string, to: string): Promise<void> {
  const present = new Set(await readdir(to));
  for (const name of await readdir(from)) {
    if (!name.endsWith(".deb") || present.has(name)) continue;
    if ((await stat(`${from}/${name}`)).size > 0) await link(`${from}/${name}`, `${to}/${name}`);
  }
}

async function relink(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await symlink(target, path);
}

async function writeFiles(root: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(`${root}/${path}`), { recursive: true, mode: 0o755 });
    await writeFile(`${root}/${path}`, text);
  }
}

function redact(uri: string): string {
  return uri.replace(/\/\/[^/@]+@/, "//***@");
}
