// `npm run check`: types, lint and format, shell scripts, folder boundaries. All of them run, then the exit code is 1 if one failed.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { projectDirectory } from "./paths.ts";

interface Check {
  name: string;
  program: string;
  args: string[];
}

interface Outcome {
  status: "passed" | "failed" | "skipped";
  output: string;
}

const bin = (name: string) => join("node_modules", ".bin", name);

const checks: Check[] = [
  { name: "types", program: bin("tsc"), args: ["-p", ".", "--noEmit", "--pretty", "false"] },
  { name: "lint and format", program: bin("biome"), args: ["ci", "--colors=off"] },
  { name: "shell scripts", program: "shellcheck", args: [...shellcheckOptions(), ...shellScripts()] },
  {
    name: "folder boundaries",
    program: bin("depcruise"),
    args: [
      "--config",
      ".dependency-cruiser.cjs",
      "--output-type",
      "err-long",
      ...["stacks", "components", "scripts", "test"],
    ],
  },
];

/**
 * Left out: SC1091, a file that exists on hosts only; SC2016, `sh -c` and `node -e` programs in single quotes, whose variables
 * are meant for them.
 */
function shellcheckOptions(): string[] {
  return ["--exclude=SC1091,SC2016"];
}

/** Scripts that run on a host or beside one. */
function shellScripts(): string[] {
  return ["components", "scripts"].flatMap((folder) =>
    readdirSync(join(projectDirectory, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".sh"))
      .map((file) => join(folder, file))
      .sort(),
  );
}

function run({ program, args }: Check): Promise<Outcome> {
  return new Promise((resolve) => {
    const path = `${join(projectDirectory, "node_modules", ".bin")}:${process.env.PATH}`;
    const child = spawn(program, args, { cwd: projectDirectory, env: { ...process.env, PATH: path, NO_COLOR: "1" } });
    let output = "";
    child.stdout.on("data", (text) => (output += text));
    child.stderr.on("data", (text) => (output += text));
    child.on("error", (error: NodeJS.ErrnoException) => {
      const absent = error.code === "ENOENT";
      resolve({
        status: absent && process.env.CI !== "true" ? "skipped" : "failed",
        output: absent ? `${program} is not installed on this machine (Debian: apt install ${program})` : error.message,
      });
    });
    child.on("close", (code) => resolve({ status: code === 0 ? "passed" : "failed", output }));
  });
}

const outcomes = await Promise.all(checks.map(async (check) => ({ check, ...(await run(check)) })));
for (const { check, status, output } of outcomes) {
  console.error(`${status.padEnd(8)} ${check.name}${status === "skipped" ? `: ${output}` : ""}`);
  if (status === "failed") console.error(`\n${output.trim()}\n`);
}
process.exitCode = outcomes.some(({ status }) => status === "failed") ? 1 : 0;
