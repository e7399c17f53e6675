/** Reads the machine's apt configuration for apt-sources.ts. */
import { readdir, readFile } from "node:fs/promises";
import { deriveAptSettings, deriveMirrors, type Mirrors } from "./apt-sources.ts";
import { run } from "./processes.ts";

export interface MachineApt {
  mirrors: Mirrors;
  settings: string;
  /** Certificate authorities that somebody added to this machine, by file name. */
  authorities: Record<string, string>;
}

export async function readMachineApt(): Promise<MachineApt> {
  const texts = [
    await readFile("/etc/apt/sources.list", "utf8").catch(() => ""),
    ...Object.values(await readFiles("/etc/apt/sources.list.d", /\.(list|sources)$/)),
  ];
  return {
    mirrors: deriveMirrors(await Promise.all(texts.map(resolveMirrorLists))),
    settings: deriveAptSettings(await run("apt-config", ["dump"])),
    authorities: await readFiles("/usr/local/share/ca-certificates", /\.crt$/),
  };
}

/** Debian's cloud images name a file that lists mirrors; its first line stands for it. */
async function resolveMirrorLists(text: string): Promise<string> {
  let resolved = text;
  for (const [reference, path] of text.matchAll(/mirror\+file:(?:\/\/)?(\/\S+)/g)) {
    if (!path) continue;
    const list = await readFile(path, "utf8").catch(() => "");
    const first = list.split("\n").find((line) => /^https?:\/\//.test(line));
    if (first) resolved = resolved.replace(reference, first.split(/\s/)[0] ?? "");
  }
  return resolved;
}

async function readFiles(directory: string, pattern: RegExp): Promise<Record<string, string>> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => pattern.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(`${directory}/${name}`, "utf8").catch(() => "")));
  return Object.fromEntries(names.map((name, index) => [name, texts[index] ?? ""]));
}
