import { Command } from "commander";
import { hostPaths } from "../../components/model/paths.ts";
import { readInventory } from "../cluster/inventory.ts";
import { Cluster } from "../cluster/observe.ts";
import { UserError } from "../user-error.ts";

export function notifyCommand(): Command {
  const command = new Command("notify").description("how people are told that the pair needs them (option `notify`)");
  command
    .command("test")
    .description("send a message from each node")
    .option("--inventory <file>", "the pair's inventory (- for stdin; default: the stack's output)")
    .action(async (options) => {
      const cluster = new Cluster(await readInventory(options));
      try {
        const failures = await Promise.all(
          [...cluster.hosts].map(async ([name, host]) => {
            const { status, stderr } = await host.run(`node ${hostPaths.programs}/agent.cjs notify-test`);
            if (status === 0) console.log(`${name}: delivered`);
            // The agent's own sentence stands in the line that names the error.
            return status === 0 ? [] : [`${name}: ${/Error: (.*)/.exec(stderr)?.[1] ?? stderr.trim()}`];
          }),
        );
        if (failures.flat().length > 0) throw new UserError(failures.flat().join("\n"));
      } finally {
        cluster.close();
      }
    });
  return command;
}
