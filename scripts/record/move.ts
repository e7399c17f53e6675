import { isDeepStrictEqual } from "node:util";
import { hostPaths } from "../../components/model/paths.ts";
import { type RecordAccess, type RecordEntry, type RecordPlace, settled } from "../../components/model/record.ts";
import { quote } from "../../components/model/shell.ts";
import type { Cluster } from "../cluster/observe.ts";
import { askRecord, proveRecord } from "../cluster/record.ts";
import { UserError } from "../user-error.ts";

/** A place without what opens it. */
export function placeOf(access: RecordAccess): RecordPlace {
  if (access.kind !== "s3") return access;
  const { accessKeyId: _, secretAccessKey: __, ...place } = access;
  return place;
}

/**
 * Copies the record to another place, proves that place, leaves a note on both nodes, without which `up` refuses the new
 * place, and seals the old one: from then until `up` the pair serves as it is, and nothing is claimed or started.
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
  while (!(await complete(cluster, nodes, to))) {
    const before = await newest(cluster, nodes);
    if (!settled(before))
      throw new UserError(
        `entry ${before.epoch} of the record is an intent that nobody has finished: finish it first`,
        2,
      );
    const { entries } = await askRecord<{ entries: RecordEntry[] }>(cluster, reader, { do: "history", last: 100_000 });
    log(`copy ${entries.length} entries, and seal the old place`);
    await askRecord(cluster, reader, { do: "restore", entries }, to);
    await askRecord(cluster, reader, { do: "seal", moved: true });
    if (await complete(cluster, nodes, to)) break;
    // An entry slipped in between: it has to come along.
    await askRecord(cluster, reader, { do: "seal", moved: false });
  }
  for (const node of nodes) {
    const file = quote(`${hostPaths.state}/record-moved.json`);
    await cluster
      .host(node)
      .must(`cat > ${file}.new && sync ${file}.new && mv ${file}.new ${file}`, { input: JSON.stringify(placeOf(to)) });
  }
}

/** Whether the new place holds everything that a node has seen; after the seal, nothing newer can come. */
async function complete(cluster: Cluster, nodes: string[], to: RecordAccess): Promise<boolean> {
  const there = await newest(cluster, nodes, to).catch(() => undefined);
  const known = await Promise.all(nodes.map((node) => knownEpoch(cluster, node)));
  const sealed = await newest(cluster, nodes).then(
    () => false,
    () => true,
  );
  return there !== undefined && sealed && Math.max(...known) <= there.epoch;
}

async function knownEpoch(cluster: Cluster, node: string): Promise<number> {
  const { stdout } = await cluster.host(node).run(`cat ${hostPaths.knownEntry}`);
  return (JSON.parse(stdout || "{}") as { epoch?: number }).epoch ?? 0;
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
