import { runCore } from "./core/main.ts";
import { prepare } from "./prepare/run.ts";
import { runJobservice, runLog, runPortal, runRegistryctl } from "./services.ts";

/** The one program inside all images of the stand-in; the image's entry point names the role. */
const roles: Record<string, (args: string[]) => unknown> = {
  core: runCore,
  jobservice: runJobservice,
  log: runLog,
  portal: runPortal,
  registryctl: runRegistryctl,
  prepare: (args) => process.exit(prepare(args)),
};

const [role = "", ...args] = process.argv.slice(2);
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
Promise.resolve()
  .then(() => roles[role]?.(args))
  .catch((error: Error) => {
    console.error(`stand-in ${role}: ${error.message}`);
    process.exit(1);
  });
