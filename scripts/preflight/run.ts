import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { type Inventory, presentNodes } from "../../components/model/inventory.ts";
import { ports } from "../../components/model/ports.ts";
import { quote } from "../../components/model/shell.ts";
import { peerOf, sharedPath } from "../../components/model/topology.ts";
import { servicePackages } from "../../components/services/render.ts";
import type { Cluster } from "../cluster/observe.ts";
import { parseFacts } from "./facts.ts";
import { type HostProblem, judgeHost, judgeSilence } from "./rules.ts";

/** Asks all hosts at once whether they may become nodes. Writes nothing anywhere. */
export async function preflight(cluster: Cluster): Promise<HostProblem[]> {
  const program = readFileSync(join(import.meta.dirname, "host.sh"), "utf8");
  const { topology, access } = cluster.inventory;
  const found = await Promise.all(
    presentNodes(cluster.inventory).map(async ({ name }) => {
      const peer = peerOf(topology, name);
      const words = [
        sharedPath(topology) ?? "/",
        peer.address,
        access[peer.name]?.port ?? 22,
        namesIn(cluster.inventory).join(" "),
        // What comes from its makers is not there before `up` has brought their package sources.
        topology.system === "debian-13" ? servicePackages.join(" ") : "chrony redis-server haproxy keepalived",
        ...Object.values(ports),
      ];
      const asked = Date.now() / 1000;
      const { status, stdout, stderr } = await cluster
        .host(name)
        .run(`sh -s ${words.map((word) => quote(String(word))).join(" ")}`, { input: program });
      if (status === 255) return [judgeSilence(name, stderr)];
      const facts = parseFacts(stdout, asked, Date.now() / 1000);
      if (!facts)
        return [
          {
            id: "host.unreadable",
            node: name,
            sentence: `${name} gave no full answer (${stderr.trim()})`,
            remedy: "look at it by hand",
          },
        ];
      return judgeHost(name, facts, topology);
    }),
  );
  const problems = found.flat();
  // Why a node does not reach one that we do not reach either, or do not look at, needs no second sentence.
  const everybodyIsThere =
    presentNodes(cluster.inventory).length === topology.nodes.length &&
    !problems.some(({ id }) => id === "host.unreachable");
  return everybodyIsThere ? problems : problems.filter(({ id }) => id !== "host.peer");
}

/** Names of other machines that the nodes will ask for. */
function namesIn({ topology: { storage, record, database, redis }, harbor }: Inventory): string[] {
  const hosts = [
    storage.kind === "nfs" ? storage.server : undefined,
    storage.kind === "s3" ? new URL(storage.endpoint).hostname : undefined,
    storage.kind === "oss" ? `${storage.bucket}.oss-${storage.region}-internal.aliyuncs.com` : undefined,
    record.kind === "s3" ? new URL(record.endpoint).hostname : undefined,
    record.kind === "oss" ? new URL(record.address).hostname : undefined,
    database?.host,
    redis?.host,
    harbor.installer.url && new URL(harbor.installer.url).hostname,
  ];
  return hosts.filter((name): name is string => name !== undefined && isIP(name) === 0);
}
