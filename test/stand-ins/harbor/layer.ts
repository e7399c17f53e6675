import { chmod, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { readMachineApt } from "../../../scripts/lab/machine-apt.ts";
import { run, runContained } from "../../../scripts/lab/processes.ts";

/** What all images share: Debian packages, unpacked as they are, without running anything of theirs. */
export const suite = "trixie";
export const packages = ["apache2-utils", "docker-registry", "nginx", "nodejs", "openssl"];
/** Parts of a Debian system that nothing in the images calls. */
const unneeded = [
  "adduser apt base-passwd bsdutils debconf debian-archive-keyring debianutils dpkg hostname init-system-helpers",
  "iproute2 libapt-.* libdb5.* libpam.* libsystemd0 libudev1 login.* mount ncurses-bin node-corepack passwd perl-base",
  "sqv sysvinit-utils tzdata util-linux",
];
const leftOut = ["doc", "man", "locale", "info", "lintian", "bash-completion"].map((name) => `./usr/share/${name}`);
export const layerInputs = JSON.stringify([suite, packages, unneeded, leftOut, 1]);

/** Writes the layer as one tar file. `work` is a directory of ours, `cache` keeps downloaded packages. */
export async function buildLayer(file: string, work: string, cache: string) {
  const root = `${work}/root`;
  await mkdir(cache, { recursive: true });
  await unpack(await download(`${work}/debian`, cache), root);
  await writeFile(`${root}/etc/passwd`, "root:x:0:0:root:/root:/bin/bash\nharbor:x:10000:10000::/:/bin/bash\n");
  await writeFile(`${root}/etc/group`, "root:x:0:\nharbor:x:10000:\n");
  for (const directory of ["etc/registry", "etc/core", "storage", "var/log/nginx", "var/lib/nginx"]) {
    await mkdir(`${root}/${directory}`, { recursive: true });
  }
  await chmod(`${root}/tmp`, 0o1777);
  await tar(root, `${file}.new`);
  await rename(`${file}.new`, file);
}

/** debootstrap works out what the packages need and fetches it from the machine's own mirror. */
async function download(target: string, cache: string) {
  const apt = await readMachineApt();
  const proxy = /Acquire::http::Proxy "([^"]+)"/i.exec(apt.settings)?.[1];
  const options = ["--download-only", "--variant=minbase", `--include=${packages.join(",")}`, `--cache-dir=${cache}`];
  const env = proxy ? { http_proxy: proxy } : {};
  await runContained("debootstrap", [...options, suite, target, apt.mirrors.archive], { env });
  const archives = `${target}/var/cache/apt/archives`;
  const files = (await readdir(archives)).filter((name) => name.endsWith(".deb"));
  return files.map((name) => `${archives}/${name}`);
}

async function unpack(files: string[], root: string) {
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  const unwanted = new RegExp(`/(${unneeded.join(" ").replaceAll(" ", "|")})_[^/]*$`);
  const wanted = files.filter((file) => !unwanted.test(file));
  // base-files first: it brings the links from /bin and /lib into /usr.
  wanted.sort((a, b) => Number(b.includes("/base-files_")) - Number(a.includes("/base-files_")) || a.localeCompare(b));
  const excludes = leftOut.map((path) => `--exclude=${path}`).join(" ");
  const script = `set -e; for deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$ROOT" ${excludes}; done`;
  await run("bash", ["-o", "pipefail", "-c", script, "unpack", ...wanted], { env: { ROOT: root } });
}

/** The same bytes for the same content. */
export async function tar(directory: string, file: string, ...members: string[]) {
  const plain = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"];
  await run("tar", [...plain, "-C", directory, "-cf", file, ...(members.length > 0 ? members : ["."])]);
}
