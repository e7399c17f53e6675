import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import spawn from "nano-spawn";
import { projectDirectory } from "../paths.ts";
import type { Log } from "./environment.ts";
import { findGo } from "./go.ts";
import { pulumiVersion } from "./version.ts";

const builds = [
  {
    module: "language-host",
    program: "pulumi-language-nodejs",
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    expect: "about a minute",
  },
  {
    module: "cli",
    program: "pulumi",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    expect: "4 to 10 minutes on 2 cores",
  },
];

/** Releases get their version at link time; a build from the module proxy would print none. */
const versionFlag = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pulumiVersion}`;

/** Builds the Pulumi CLI and language host from the Go module proxy into a directory; what is there already is kept. */
export async function buildGoTools(directory: string, log: Log): Promise<void> {
  if (builds.every(({ program }) => existsSync(join(directory, program)))) return;
  const go = await findGo(log);
  // An interrupted build leaves its work directory, hundreds of MB, which would else lie in /tmp for good.
  const work = join(directory, "work");
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const build of builds) {
    const target = join(directory, build.program);
    if (existsSync(target)) continue;
    log(
      `Building ${build.program} from the Go module proxy (${build.expect}; an interrupted build goes on where it was) …`,
    );
    const started = Date.now();
    // Progress: one line per quarter minute, from the compiler's own package names.
    let packages = 0;
    let reported = Date.now();
    const temporary = `${target}.${process.pid}`;
    const child = spawn(
      go,
      ["build", "-v", "-mod=readonly", `-ldflags=${versionFlag}`, "-o", temporary, build.package],
      {
        cwd: join(projectDirectory, "scripts", "toolchain", "go", build.module),
        env: { GOFLAGS: `${process.env.GOFLAGS ?? ""} -buildvcs=false`.trim(), CGO_ENABLED: "0", GOTMPDIR: work },
        stdin: "ignore",
      },
    );
    for await (const line of child) {
      void line;
      packages++;
      if (Date.now() - reported < 15_000) continue;
      reported = Date.now();
      log(`  ${Math.round((reported - started) / 1000)} s: ${packages} packages fetched or compiled`);
    }
    await child;
    renameSync(temporary, target);
    log(`  ${build.program} built in ${Math.round((Date.now() - started) / 1000)} s.`);
  }
  rmSync(work, { recursive: true, force: true });
}
