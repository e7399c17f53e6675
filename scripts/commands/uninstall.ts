import type { Command } from "commander";
import { localData, uninstall } from "../uninstall/run.ts";
import { agreed, pairCommand, withPair } from "./pair.ts";

export function uninstallCommand(): Command {
  return pairCommand("uninstall")
    .description("stop and remove the services on both nodes; data stays unless told otherwise, images always")
    .option("--with-data", "also delete the database, Redis and Harbor's local files, for ever")
    .option("--yes", "do not ask")
    .action((options) =>
      withPair(options, async (cluster) => {
        const { hostname } = cluster.inventory.topology;
        console.error(
          `Harbor at ${hostname} will be gone from ${[...cluster.hosts.keys()].join(" and ")}: services, programs, settings, secrets.
${options.withData ? "DELETED" : "Kept"}: ${localData.join(", ")}. Kept: the images and the cluster record on the shared storage; installed packages.`,
        );
        if (!(await agreed(options, options.withData ? "Remove everything, the database included?" : "Remove it?")))
          return;
        await uninstall(cluster, options.withData === true, (line) => console.error(line));
        console.log("removed");
      }),
    );
}
