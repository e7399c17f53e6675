/** Builds the stand-in for Harbor's offline installer, from Debian packages and this folder alone. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { cp, link, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { cacheDirectory } from "../../../scripts/lab/lab.ts";
import { withLock } from "../../../scripts/lab/lock.ts";
import { ensurePrerequisites } from "../../../scripts/lab/prerequisites.ts";
import { run } from "../../../scripts/lab/processes.ts";
import { describeImages } from "./images.ts";
import { buildLayer, layerInputs, tar } from "./layer.ts";
import { version } from "./names.ts";

type Log = (line: string) => void;
const here = fileURLToPath(new URL(".", import.meta.url)).replace(/\/$/, "");

/** Gives the installer's tgz, built once for every state of the sources. May be interrupted and run beside itself. */
export async function buildInstaller(log: Log): Promise<{ file: string; sha256: string }> {
  await ensurePrerequisites(log);
  const cache = cacheDirectory();
  const hash = await hashSources();
  const done = `${cache}/stand-in-harbor-${hash}`;
  await withLock(`${cache}/stand-in-harbor.lock`, "exclusive", "the stand-in Harbor", log, async () => {
    if (existsSync(done)) return log(`Stand-in Harbor: ${done} is there`);
    const work = `${cache}/stand-in-harbor.building`;
    await rm(work, { recursive: true, force: true });
    await mkdir(`${work}/done`, { recursive: true });
    const layer = await ensureLayer(cache, work, log);
    await assemble(work, layer, log);
    await rename(`${work}/done`, done);
    await rm(work, { recursive: true, force: true });
    await removeOld(cache, done, layer);
  });
  const sha256 = (await readFile(`${done}/sha256`, "utf8")).trim();
  return { file: `${done}/${installerName}`, sha256 };
}

const installerName = `harbor-offline-installer-${version}.tgz`;

/** The big layer depends on the list of packages only and outlives changes of the program. */
async function ensureLayer(cache: string, work: string, log: Log) {
  const file = `${cache}/stand-in-harbor-layer-${digest(layerInputs)}.tar`;
  if (!existsSync(file)) {
    await phase("Debian packages", log, () => buildLayer(file, work, `${cache}/packages`));
  }
  return file;
}

async function assemble(work: string, layer: string, log: Log) {
  const [archive, tree] = [`${work}/archive`, `${work}/tree`];
  await phase("program and images", log, async () => {
    await mkdir(`${work}/program`, { recursive: true });
    await mkdir(archive);
    await bundle(`${work}/program/stand-in.cjs`);
    await tar(`${work}/program`, `${archive}/program.tar`, "stand-in.cjs");
    await link(layer, `${archive}/debian.tar`);
    const paths = ["debian.tar", "program.tar"];
    const layers = await Promise.all(paths.map(async (path) => ({ path, sha256: await sha256(`${archive}/${path}`) })));
    const architecture = await run("dpkg", ["--print-architecture"]);
    const files = describeImages(layers, architecture);
    for (const [path, text] of Object.entries(files)) await writeFile(`${archive}/${path}`, text);
  });
  await phase("installer archive", log, async () => {
    await cp(`${here}/installer`, `${tree}/harbor`, { recursive: true });
    await tar(archive, `${work}/images.tar`);
    await compress(`${work}/images.tar`, `${tree}/harbor/harbor.${version}.tar.gz`, 3);
    await tar(tree, `${work}/installer.tar`, "harbor");
    await compress(`${work}/installer.tar`, `${work}/done/${installerName}`, 1);
    await writeFile(`${work}/done/sha256`, `${await sha256(`${work}/done/${installerName}`)}\n`);
  });
}

async function bundle(outfile: string) {
  await build({
    entryPoints: [`${here}/stand-in.ts`],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    external: ["pg-native"],
    logLevel: "error",
  });
}

async function compress(from: string, to: string, level: number) {
  await run("sh", ["-c", `gzip -n -${level} -c "$1" >"$2"`, "gzip", from, to]);
}

async function hashSources() {
  const names = (await readdir(here, { recursive: true })).filter((name) => /\.|\//.test(name)).sort();
  const parts: string[] = [layerInputs, await run("dpkg", ["--print-architecture"])];
  for (const name of names) {
    if (name.endsWith(".test.ts")) continue;
    parts.push(name, await readFile(`${here}/${name}`, "utf8"));
  }
  for (const name of ["esbuild", "ioredis", "pg", "yaml"]) {
    parts.push(await readFile(`${here}/../../../node_modules/${name}/package.json`, "utf8"));
  }
  return digest(parts.join("\0"));
}

/** The newest two are kept, so that a test and a change under way do not throw each other's away. */
async function removeOld(cache: string, current: string, layer: string) {
  for (const name of await readdir(cache)) {
    if (/^stand-in-harbor-layer-/.test(name) && `${cache}/${name}` !== layer) await rm(`${cache}/${name}`);
  }
  const names = (await readdir(cache)).filter((name) => /^stand-in-harbor-[0-9a-f]{12}$/.test(name));
  const others = names.map((name) => `${cache}/${name}`).filter((path) => path !== current);
  const dated = await Promise.all(
    others.map(async (path) => ({ path, at: Number(await run("stat", ["-c%Y", path])) })),
  );
  dated.sort((a, b) => b.at - a.at);
  for (const { path } of dated.slice(1)) await rm(path, { recursive: true, force: true });
}

async function phase(title: string, log: Log, work: () => Promise<void>) {
  const start = Date.now();
  log(`Stand-in Harbor: ${title} …`);
  await work();
  log(`Stand-in Harbor: ${title} took ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

async function sha256(file: string) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

function digest(text: string) {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

if (import.meta.main) {
  const { file, sha256: sum } = await buildInstaller((line) => console.error(line));
  console.log(`${sum}  ${file}`);
}
