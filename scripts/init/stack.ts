import spawn, { SubprocessError } from "nano-spawn";
import { projectDirectory } from "../paths.ts";
import { UserError } from "../user-error.ts";
import { makeIdentity } from "./identity.ts";
import { makeRootSecret } from "./make-secret.ts";

export interface StackSettings {
  hostname: string;
  subnet?: string;
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
  const stacks: StackSummary[] = JSON.parse(await pulumi(env, ["stack", "ls", "--json"]));
  const existing = stacks.find(({ name }) => name === stack || name.endsWith(`/${stack}`));
  if (!existing) {
    log(`Making stack ${stack} …`);
    await pulumi(env, ["stack", "init", stack, "--secrets-provider", "passphrase"]);
  }
  const present = Object.keys(JSON.parse(await pulumi(env, ["config", "--json", "--stack", stack])));
  // New secrets would not open what the running pair was built with.
  if ((existing?.resourceCount ?? 0) > 0 && !present.includes("harbor-ha:rootSecret"))
    throw new UserError(
      `stack ${stack} is built, but its settings and secrets (Pulumi.${stack}.yaml) are not in this checkout: copy the file from the checkout it was built from, or take the pair down there or here (npm run lab:down)`,
      2,
    );
  const set = async (key: string, value: string | undefined, ...flags: string[]) => {
    if (value === undefined || present.includes(`harbor-ha:${key.split(".")[0]}`)) return;
    await pulumi(env, ["config", "set", ...flags, "--stack", stack, `harbor-ha:${key}`], value);
  };
  await set("hostname", settings.hostname);
  await set("rootSecret", makeRootSecret(), "--secret");
  if (!present.includes("harbor-ha:identity")) {
    log("Making keys and certificates …");
    await set("identity", JSON.stringify(await makeIdentity(settings.hostname)), "--secret");
  }
  await set("lab.subnet", settings.subnet, "--path");
  for (const [name, value] of Object.entries(settings.installer ?? {}))
    await set(`harbor.installer.${name}`, value, "--path");
}
