import { randomUUID } from "node:crypto";
import { confirm, isCancel } from "@clack/prompts";
import { Command } from "commander";
import type { RecordEntry } from "../../components/model/record.ts";
import { readInventory } from "../cluster/inventory.ts";
import { Cluster } from "../cluster/observe.ts";
import { askRecord, claimEntry } from "../cluster/record.ts";
import { adoptRecord } from "../record/adopt.ts";
import { UserError } from "../user-error.ts";

type History = { highest: number; entries: RecordEntry[] };

export function recordCommand(): Command {
  const command = new Command("record").description("the cluster record: which node may write, entry by entry");
  command
    .command("show")
    .description("the newest entries, and what each node has seen")
    .option("--inventory <file>", "the pair's inventory (- for stdin; default: the stack's output)")
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      await withCluster(options, async (cluster) => {
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
      });
    });
  command
    .command("adopt")
    .description("write a new record where the old one is lost for good; both nodes must be seen")
    .requiredOption("--i-lost-the-record", "said out loud: the old record will not come back")
    .option("--inventory <file>", "the pair's inventory (- for stdin; default: the stack's output)")
    .option("--dry-run", "only say what would be written")
    .option("--yes", "do not ask")
    .action(async (options) => {
      await withCluster(options, async (cluster) => {
        const { nodes, history, reader } = await look(cluster);
        if (!reader || !history)
          throw new UserError("no node can reach the place of the record: mount the storage on both nodes first", 2);
        const adoption = adoptRecord({ nodes, ...history });
        if ("rule" in adoption) throw new UserError(`${adoption.sentence} → ${adoption.remedy} [${adoption.rule}]`, 2);
        console.error(adoption.sentence);
        if (options.dryRun) return;
        if (!options.yes) {
          if (!process.stdin.isTTY) throw new UserError("give --yes where nobody can be asked");
          const answer = await confirm({ message: "Write it?" });
          if (isCancel(answer) || !answer) return;
        }
        await claimEntry(cluster, reader, adoption.previous, { ...adoption.entry, token: randomUUID() });
        console.log("written; `harbor-ha status` shows what follows from it");
      });
    });
  return command;
}

/** What the nodes say, and what lies in the record's place, read through the first node that can. */
async function look(cluster: Cluster) {
  const observation = await cluster.observe();
  const nodes = cluster.inventory.topology.nodes.map(({ name }) => ({ name, facts: observation[name]?.host }));
  for (const { name, facts } of nodes) {
    if (!facts) continue;
    const history = await askRecord<History>(cluster, name, { do: "history", last: 10 }).catch(() => undefined);
    if (history) return { nodes, history, reader: name };
  }
  return { nodes };
}

async function withCluster(options: { inventory?: string }, work: (cluster: Cluster) => Promise<void>) {
  const cluster = new Cluster(await readInventory(options));
  try {
    await work(cluster);
  } finally {
    cluster.close();
  }
}
