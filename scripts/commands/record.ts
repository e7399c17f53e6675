import { randomUUID } from "node:crypto";
import { Command } from "commander";
import type { Cluster } from "../cluster/observe.ts";
import { claimEntry, readHistory } from "../cluster/record.ts";
import { configuredRecord } from "../cluster/stack-config.ts";
import { adoptRecord } from "../record/adopt.ts";
import { moveRecord } from "../record/move.ts";
import { refused } from "../refusal.ts";
import { UserError } from "../user-error.ts";
import { agreed, pairCommand, withPair } from "./pair.ts";

export function recordCommand(): Command {
  const command = new Command("record").description("the cluster record: which node may write, entry by entry");
  command.addCommand(
    pairCommand("show")
      .description("the newest entries, and what each node has seen")
      .option("--json", "print one JSON object on stdout")
      .action((options) =>
        withPair(options, async (cluster) => {
          const { nodes, history } = await look(cluster);
          if (options.json) return console.log(JSON.stringify({ entries: history?.entries ?? [], nodes }, null, 2));
          for (const { epoch, kind, primary, sync, timeline, by, at } of history?.entries ?? [])
            console.log(
              `${String(epoch).padStart(6)}  ${at}  ${kind.padEnd(8)}  primary ${primary}, in sync: ${sync.join() || "nobody"}, timeline ${timeline ?? "-"}, by ${by}`,
            );
          if (!history) console.log("no node could read the record");
          for (const { name, facts } of nodes)
            console.log(
              `${name}: ${facts ? `has seen entry ${facts.record.known?.epoch ?? "-"}${facts.record.belief.state === "unreadable" ? `; ${facts.record.belief.reason}` : ""}` : "cannot be read"}`,
            );
        }),
      ),
  );
  command.addCommand(
    pairCommand("move")
      .description("copy the record to where the stack's configuration wants it now; then `pulumi up`")
      .action((options) =>
        withPair(options, async (cluster) => {
          await moveRecord(cluster, await configuredRecord(), (line) => console.error(line));
          console.log("moved; now: pulumi up");
        }),
      ),
  );
  command.addCommand(
    pairCommand("adopt")
      .description("write a new record where the old one is lost for good; both nodes must be seen")
      .requiredOption("--i-lost-the-record", "said out loud: the old record will not come back")
      .option("--dry-run", "only say what would be written")
      .option("--yes", "do not ask")
      .action((options) =>
        withPair(options, async (cluster) => {
          const { nodes, history } = await look(cluster);
          if (!history)
            throw new UserError("no node can reach the place of the record: mount the storage on both nodes first", 2);
          const adoption = adoptRecord({ nodes, ...history });
          if ("rule" in adoption) throw refused(adoption);
          console.error(adoption.sentence);
          if (options.dryRun) return;
          if (!(await agreed(options, "Write it?"))) return;
          await claimEntry(cluster, history.reader, adoption.previous, { ...adoption.entry, token: randomUUID() });
          console.log("written; `harbor-ha status` shows what follows from it");
        }),
      ),
  );
  return command;
}

/** What the nodes say, and what lies in the record's place. */
async function look(cluster: Cluster) {
  const observation = await cluster.observe();
  return {
    nodes: cluster.inventory.topology.nodes.map(({ name }) => ({ name, facts: observation[name]?.host })),
    history: await readHistory(cluster, observation, 10),
  };
}
