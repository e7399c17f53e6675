import { isDeepStrictEqual } from "node:util";
import { hostPaths } from "../../components/model/paths.ts";
import { type RecordAccess, type RecordEntry, type RecordPlace, settled } from "../../components/model/record.ts";
import { quote } from "../../components/model/shell.ts";
import type { Cluster } from "../cluster/observe.ts";
import { askRecord, proveRecord } from "../cluster/record.ts";
import { UserError } from "../user-error.ts";

/** A place without what opens it. */
export function placeOf(access: RecordAccess): RecordPlace {
  if (access.kind === "directory") return access;
  const { accessKeyId: _, secretAccessKey: __, ...place } = access;
  return place;
}

/**
 * Copies the record to another place, proves that place, and leaves a note on both nodes, without which `up` refuses the new
 * place. An entry that is written meanwhile at the old place is copied too; one after that makes the nodes distrust the new
 * place, so nothing is lost by it.
 */
export async function moveRecord(cluster: Cluster, to: RecordAccess, log: (line: string) => void): Promise<void> {
  const nodes = [...cluster.hosts.keys()];
  const [reader] = nodes;
  if (!reader || nodes.length < cluster.inventory.topology.nodes.length)
    throw new UserError("both nodes are needed to move the record", 2);
  if (isDeepStrictEqual(placeOf(to), cluster.inventory.topology.record))
    throw new UserError("the record is where the configuration wants it: set the new place first (option record)", 2);
  log("prove that the new place lets only one node create each entry");
  await proveRecord(cluster, to);
  for (;;) {
    const before = await newest(cluster, nodes);
    if (!settled(before))
      throw new UserError(
        `entry ${before.epoch} of the record is an intent that nobody has finished: finish it first`,
        2,
      );
    const { entries } = await askRecord<{ entries: RecordEntry[] }>(cluster, reader, { do: "history", last: 100_000 });
    log(`copy ${entries.length} entries`);
    await askRecord(cluster, reader, { do: "restore", entries }, to);
    const after = await newest(cluster, nodes, to);
    if (after.epoch === (await newest(cluster, nodes)).epoch) break;
  }
  for (const node of nodes) {
    const file = `${hostPaths.state}/record-moved.json`;
    const { status, stderr } = await cluster
      .host(node)
      .run(
        `cat > ${quote(`${file}.new`)} && sync ${quote(`${file}.new`)} && mv ${quote(`${file}.new`)} ${quote(file)}`,
        {
          input: JSON.stringify(placeOf(to)),
        },
      );
    if (status !== 0) throw new UserError(`${node}: ${stderr.trim()}`, status === 255 ? 3 : 1);
  }
}

/** The newest entry, the same for every node. */
async function newest(cluster: Cluster, nodes: string[], at?: RecordAccess): Promise<RecordEntry> {
  const readings = await Promise.all(
    nodes.map((node) => askRecord<{ state: string; newest?: RecordEntry }>(cluster, node, { do: "read" }, at)),
  );
  const [first, ...others] = readings.map(({ newest }) => newest);
  if (!first || others.some((other) => other?.token !== first.token || other?.epoch !== first.epoch))
    throw new UserError("the nodes do not read the same record: run the same command again in a moment", 2);
  return first;
}
