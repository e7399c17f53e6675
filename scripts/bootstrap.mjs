// Entry of every npm script. Runs on any Node from 18 and needs no installed package: it installs the locked
// packages when they are missing or outdated, then starts the given TypeScript program on the project's own Node 24.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lock = join(root, "package-lock.json");
const stamp = join(root, "node_modules", ".harbor-ha-installed");
const wanted = createHash("sha256").update(readFileSync(lock)).digest("hex");
const node = join(root, "node_modules", ".bin", "node");

// The stamp is written last, so an install that was killed half-way is done again.
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted || !existsSync(node)) {
  const started = Date.now();
  console.error("Installing the project's npm packages (npm ci, about a minute) …");
  rmSync(stamp, { force: true });
  // Packages belong to the checkout's owner, also when root runs the lab in somebody's checkout.
  const owner = statSync(root);
  const asOwner = process.getuid?.() === 0 && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : {};
  const result = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    ...asOwner,
    env: asOwner.uid ? { ...process.env, HOME: root, npm_config_cache: "/tmp/.npm-harbor-ha" } : process.env,
  });
  if (result.status !== 0) {
    console.error(
      "npm ci failed (see above). Check the network or the registry setting, then run the same command again.",
    );
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
  if (asOwner.uid) (await import("node:fs")).chownSync(stamp, asOwner.uid, asOwner.gid);
  console.error(`npm packages installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

const [program, ...args] = process.argv.slice(2);
const child = spawn(node, [join(root, program), ...args], { stdio: "inherit" });
// Ctrl-C reaches the whole foreground group; a kill of this process alone must be passed on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 128 + 15 : (code ?? 1)));
