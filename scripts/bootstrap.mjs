// Entry of every npm script. Runs on any Node from 18 and needs no installed package: it installs the locked
// packages when they are missing or outdated, then starts the given TypeScript program on the project's own Node 24.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lchownSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lock = join(root, "package-lock.json");
const stamp = join(root, "node_modules", ".harbor-ha-installed");
const wanted = createHash("sha256").update(readFileSync(lock)).digest("hex");
const node = join(root, "node_modules", ".bin", "node");

const owner = statSync(root);
const inSomebodysCheckout = process.getuid?.() === 0 && owner.uid !== 0;

// The stamp is written last, so an install that was killed half-way is done again.
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted || !existsSync(node)) install();

function install() {
  const started = Date.now();
  console.error("Installing the project's npm packages (npm ci, about a minute) …");
  rmSync(stamp, { force: true });
  const npm = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const options = { cwd: root, stdio: ["ignore", 2, 2] };
  const result = inSomebodysCheckout ? installAsOwner(npm, options) : spawnSync("npm", npm, options);
  if (result.status !== 0) {
    console.error(
      "npm ci failed (see above). Check the network or the registry setting, then run the same command again.",
    );
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
  console.error(`npm packages installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

/** Packages run scripts: in somebody's checkout they run as that user, with a cache of their own that goes away. */
function installAsOwner(npm, options) {
  const cache = mkdtempSync(join(tmpdir(), "harbor-ha-npm-"));
  lchownSync(cache, owner.uid, owner.gid);
  const env = { ...process.env, HOME: cache, npm_config_cache: cache };
  const result = spawnSync("npm", npm, { ...options, env, uid: owner.uid, gid: owner.gid });
  rmSync(cache, { recursive: true, force: true });
  return result;
}

/** Gives files that root made in somebody's checkout to the checkout's owner, also after Ctrl-C. */
function returnFiles() {
  if (!inSomebodysCheckout) return;
  for (const entry of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    const path = join(root, entry);
    if (lstatSync(path).uid === 0) lchownSync(path, owner.uid, owner.gid);
  }
}

const [program, ...args] = process.argv.slice(2);
const child = spawn(node, [join(root, program), ...args], { stdio: "inherit" });
// Ctrl-C reaches the whole foreground group; a kill of this process alone must be passed on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  returnFiles();
  process.exit(signal ? 128 + 15 : (code ?? 1));
});
