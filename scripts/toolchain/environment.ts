import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cacheDirectory, projectDirectory, stackDirectory } from "../paths.ts";
import { resolveToolchain } from "./resolve.ts";

/** Prints one line of progress for people. */
export type Log = (line: string) => void;

/**
 * The environment in which `pulumi` and `harbor-ha` just work for one stack: tools on PATH, state in a local
 * `file://` backend and a passphrase file (0600), both outside the repository. A backend or passphrase that the
 * caller has set is kept.
 */
export async function stackEnvironment(stack: string, log: Log): Promise<NodeJS.ProcessEnv> {
  const tools = await resolveToolchain(log);
  const env: NodeJS.ProcessEnv = { ...process.env };
  const own = [join(projectDirectory, "scripts", "bin"), join(projectDirectory, "node_modules", ".bin")];
  env.PATH = [...own, ...tools, env.PATH].join(delimiter);
  env.PULUMI_HOME ??= join(cacheDirectory(), "pulumi-home");
  env.PULUMI_SKIP_UPDATE_CHECK = "true";
  env.PULUMI_STACK ??= stack;
  if (!env.PULUMI_BACKEND_URL) {
    const state = join(stackDirectory(stack), "pulumi");
    mkdirSync(state, { recursive: true, mode: 0o700 });
    env.PULUMI_BACKEND_URL = `file://${state}`;
  }
  if (!env.PULUMI_CONFIG_PASSPHRASE && !env.PULUMI_CONFIG_PASSPHRASE_FILE)
    env.PULUMI_CONFIG_PASSPHRASE_FILE = passphraseFile(stack);
  return env;
}

/** Makes the stack's passphrase once; a file that exists is never replaced, for its secrets would be lost. */
function passphraseFile(stack: string): string {
  const directory = stackDirectory(stack);
  const file = join(directory, "passphrase");
  if (!existsSync(file)) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, randomBytes(32).toString("base64url"), { mode: 0o600 });
    renameSync(temporary, file);
  }
  return file;
}
