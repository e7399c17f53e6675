// `npm run lab`: from a fresh machine to a serving pair. Every phase may be killed and run again.
import { spawn } from "node:child_process";
import { labTopology } from "../../components/model/lab.ts";
import { servicePackages } from "../../components/services/render.ts";
import { configSchema } from "../../stacks/config.ts";
import { initStack, pulumi } from "../init/stack.ts";
import { projectDirectory, stackDirectory } from "../paths.ts";
import { runProgram } from "../run-program.ts";
import { stackEnvironment } from "../toolchain/environment.ts";
import { removeStaleLocks } from "../toolchain/stale-locks.ts";
import { UserError } from "../user-error.ts";
import { findInstaller } from "./installer.ts";
import { ensureKeys, up } from "./lab.ts";

const log = (line: string) => console.error(line);

await runProgram(async () => {
  const stack = process.env.PULUMI_STACK ?? "lab";
  const subnet = process.env.HARBOR_HA_LAB_SUBNET ?? configSchema.shape.lab.parse(undefined).subnet;
  const nodes = labTopology.nodes(subnet);
  if (process.getuid?.() !== 0)
    throw new UserError(
      "the lab makes hosts, bridges and mounts on this machine: run it as root on Debian or Ubuntu (sudo npm run lab)",
    );
  phase(1, "Pulumi CLI, language host and command plugin");
  const env = await stackEnvironment(stack, log);
  // The lab has a key of its own; a stale agent would make the plugin fail all the same.
  delete env.SSH_AUTH_SOCK;
  phase(2, "two lab hosts");
  await ensureKeys(
    stack,
    nodes.map(({ name }) => name),
  );
  await up({ name: stack, subnet, nodes, prefetch: ["nodejs", ...servicePackages] }, log);
  phase(3, "Harbor's offline installer");
  const installer = await findInstaller(log);
  phase(4, "stack, secrets, certificates");
  await initStack(env, stack, { hostname: labTopology.virtualAddress(subnet), subnet, installer }, log);
  phase(5, "pulumi up");
  // What a killed run was creating is created again: every command is idempotent.
  if (removeStaleLocks(env.PULUMI_BACKEND_URL ?? "", log))
    await run(env, "pulumi", [
      "refresh",
      "--yes",
      "--skip-preview",
      "--clear-pending-creates",
      "--non-interactive",
      "--suppress-outputs",
      "--suppress-progress",
    ]);
  await run(env, "pulumi", [
    "up",
    "--yes",
    "--skip-preview",
    "--non-interactive",
    "--suppress-outputs",
    "--suppress-permalink=true",
    "--suppress-progress",
  ]);
  // What was powered off or rebooted since has no changed file, and still has to be started.
  await run(env, "node", ["scripts/harbor-ha.ts", "roll", "--yes"]);
  // Harbor's own health check tells of a component some seconds after it is up.
  await run(env, "node", ["scripts/harbor-ha.ts", "status", "--wait", "120"]);
  const endpoint = (await pulumi(env, ["stack", "output", "endpoint"])).trim();
  log(`
Harbor:       ${endpoint}
Credentials:  user admin; password: npm run -s shell -- pulumi stack output initialAdminPassword --show-secrets
CA:           npm run -s shell -- pulumi stack output caCertificate > ca.pem
Try:          curl --cacert ca.pem ${endpoint}/api/v2.0/ping
Look around:  npm run shell, then harbor-ha status, pulumi preview, harbor-ha lab ssh node1
Settings:     Pulumi.${stack}.yaml (pulumi config set --path …), then pulumi up
Take down:    npm run lab:down          (the passphrase stays in ${stackDirectory(stack)})`);
  return 0;
});

function phase(number: number, what: string) {
  log(`\n(${number}/5) ${what}`);
}

function run(env: NodeJS.ProcessEnv, program: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: projectDirectory, env, stdio: ["ignore", 2, 2] });
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0
        ? resolve()
        : reject(
            new UserError(
              `${program} ${args[0]} ended with exit code ${code} (see above); the same command goes on from here`,
              code === 2 || code === 3 ? code : 1,
            ),
          ),
    );
  });
}
