// Runs the tests: `unit` needs nothing; `quick` adds one run on a lab of its own; `lab` runs everything (hours).
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import spawn from "nano-spawn";
import { projectDirectory } from "../scripts/paths.ts";
import { runProgram } from "../scripts/run-program.ts";
import { resolveToolchain } from "../scripts/toolchain/resolve.ts";
import { UserError } from "../scripts/user-error.ts";

await runProgram(async () => {
  const mode = process.argv[2] ?? "quick";
  vitest("unit", "vitest.config.ts");
  if (mode === "unit") return 0;
  if (process.getuid?.() !== 0)
    throw new UserError(
      "the lab tests make hosts, bridges and mounts on this machine: run them as root on Debian or Ubuntu (or `npm run test:unit`)",
    );
  await ensureSkopeo();
  // The plugin's tests under the engine call `pulumi` themselves.
  const tools = await resolveToolchain(console.error);
  process.env.PATH = [...tools, process.env.PATH].join(delimiter);
  vitest(
    "lab",
    "vitest.lab.config.ts",
    ...(mode === "quick" ? ["test/lab/first-light.test.ts"] : ["test/lab", ".engine.test.ts"]),
  );
  return 0;
});

function vitest(what: string, config: string, ...files: string[]) {
  console.error(`\n== ${what} tests`);
  const { status } = spawnSync(
    "node",
    [join("node_modules", "vitest", "vitest.mjs"), "run", "--config", config, ...files],
    {
      cwd: projectDirectory,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, PATH: `${join(projectDirectory, "node_modules", ".bin")}:${process.env.PATH}` },
    },
  );
  if (status !== 0) throw new UserError(`the ${what} tests failed (see above)`);
}

/** The lab tests push with a client that is not ours. */
async function ensureSkopeo() {
  try {
    await spawn("skopeo", ["--version"]);
  } catch {
    console.error("Installing skopeo (Debian package), with which the tests push and pull …");
    await spawn("apt-get", ["-q", "update"]).catch(() => {});
    await spawn("apt-get", ["-q", "-y", "install", "skopeo"], { env: { DEBIAN_FRONTEND: "noninteractive" } });
  }
}
