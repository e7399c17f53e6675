import spawn, { SubprocessError } from "nano-spawn";
import { projectDirectory } from "../paths.ts";
import { UserError } from "../user-error.ts";
import { makeIdentity } from "./identity.ts";
import { makeRootSecret } from "./make-secret.ts";
import { effectiveHostname, missingSettings, type StackConfig } from "./missing.ts";

export interface StackSettings {
  hostname: string;
  subnet?: string;
  /** For the target `aliyun`: its leaves, by path. */
  aliyun?: [path: string, value: string][];
  installer?: { file?: string; url?: string; sha256: string };
}

interface StackSummary {
  name: string;
  resourceCount?: number;
}

/** Runs `pulumi` in the project; values go over stdin, never as arguments. */
export async function pulumi(env: NodeJS.ProcessEnv, args: string[], input?: string): Promise<string> {
  try {
    const { stdout } = await spawn("pulumi", [...args, "--non-interactive"], {
      cwd: projectDirectory,
      env: env as Record<string, string>,
      stdin: input === undefined ? "ignore" : { string: input },
    });
    return stdout;
  } catch (error) {
    throw new UserError(
      `pulumi ${args.join(" ")} failed: ${error instanceof SubprocessError ? error.stderr.trim() : error}`,
    );
  }
}

/** The stack of that name, whatever the backend puts before it; undefined where there is none. */
export async function findStack(env: NodeJS.ProcessEnv, stack: string): Promise<StackSummary | undefined> {
  const stacks: StackSummary[] = JSON.parse(await pulumi(env, ["stack", "ls", "--json"]));
  return stacks.find(({ name }) => name === stack || name.endsWith(`/${stack}`));
}

/**
 * Makes the stack and what its file needs: root secret, keys, certificates (encrypted) and the settings given. What is set
 * already stays, so it may be run again, also after it was killed.
 */
export async function initStack(
  env: NodeJS.ProcessEnv,
  stack: string,
  settings: StackSettings,
  log: (line: string) => void,
): Promise<void> {
  const existing = await findStack(env, stack);
  if (!existing) {
    log(`Making stack ${stack} …`);
    await pulumi(env, ["stack", "init", stack, "--secrets-provider", "passphrase"]);
  }
  const config: StackConfig = JSON.parse(await pulumi(env, ["config", "--json", "--stack", stack]));
  // New secrets would not open what the running pair was built with.
  if ((existing?.resourceCount ?? 0) > 0 && !config["harbor-ha:rootSecret"])
    throw new UserError(
      `stack ${stack} is built, but its settings and secrets (Pulumi.${stack}.yaml) are not in this checkout: copy the file from the checkout it was built from, or take the pair down there or here (npm run lab:down)`,
      2,
    );
  const set = (key: string, value: string, flag: "--secret" | "--path") =>
    pulumi(env, ["config", "set", flag, "--stack", stack, `harbor-ha:${key}`], value);
  for (const [path, value] of missingSettings(config, settings)) await set(path, value, "--path");
  if (!config["harbor-ha:rootSecret"]) await set("rootSecret", makeRootSecret(), "--secret");
  if (!config["harbor-ha:identity"]) {
    log("Making keys and certificates …");
    await set("identity", JSON.stringify(await makeIdentity(effectiveHostname(config, settings))), "--secret");
  }
}
