import { Command } from "commander";
import { hostPaths } from "../../components/model/paths.ts";
import { UserError } from "../user-error.ts";
import { pairCommand, withPair } from "./pair.ts";

export function notifyCommand(): Command {
  const command = new Command("notify").description("how people are told that the pair needs them (option `notify`)");
  command.addCommand(
    pairCommand("test")
      .description("send a message from each node")
      .action((options) =>
        withPair(options, async (cluster) => {
          const failures = await Promise.all(
            [...cluster.hosts].map(async ([name, host]) => {
              const { status, stderr } = await host.run(`node ${hostPaths.programs}/agent.cjs notify-test`);
              if (status === 0) console.log(`${name}: delivered`);
              // The agent's own sentence stands in the line that names the error.
              return status === 0 ? [] : [`${name}: ${/Error: (.*)/.exec(stderr)?.[1] ?? stderr.trim()}`];
            }),
          );
          if (failures.flat().length > 0) throw new UserError(failures.flat().join("\n"));
        }),
      ),
  );
  return command;
}
