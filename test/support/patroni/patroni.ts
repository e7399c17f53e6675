import { readFileSync } from "node:fs";
import { join } from "node:path";
import spawn from "nano-spawn";
import { hostAddress } from "../../../components/model/address.ts";
import type { Inventory } from "../../../components/model/inventory.ts";
import { ports } from "../../../components/model/ports.ts";
import type { Topology } from "../../../components/model/topology.ts";
import { renderHaproxy } from "../../../components/services/haproxy/render.ts";
import { sshArguments } from "../../../scripts/lab/lab.ts";
import { until } from "../../../scripts/roll/wait.ts";
import { asRoot, makeMachines, nodes } from "../machines.ts";
import { type LabStack, testStack, testSubnet } from "../stack.ts";

/** Holds the third vote of etcd, and the Redis that neither node's loss touches. */
const witness = { name: "witness", address: hostAddress(testSubnet, 13) };
const restPort = 8009;

interface Member {
  Member: string;
  Role: string;
  State: string;
}

/**
 * Gives the database of a running pair to Patroni, with etcd on both nodes and on a third machine: same data, same PostgreSQL
 * settings, PgBouncer and Harbor as before. There is no way back.
 */
export async function handOverToPatroni(stack: LabStack): Promise<void> {
  const { topology } = await stack.output<Inventory>("inventory");
  const primary = await stack.primary();
  await makeMachines([witness]);
  const members = [...nodes, witness];
  const script = readFileSync(join(import.meta.dirname, "host.sh"), "utf8");
  for (const { name } of members)
    await spawn("ssh", [...sshArguments(testStack, name), "cat > /run/patroni.sh"], { stdin: { string: script } });
  const cluster = members.map(({ name, address }) => `${name}=http://${address}:2380`).join(",");
  await Promise.all(members.map(({ name, address }) => onHost(name, ["etcd", name, address, cluster])));
  const { stdout: password } = await asRoot(primary, "cat /etc/harbor-ha/redis.password");
  await onHost(witness.name, ["redis", witness.address], password);

  const { stdout: connections } = await asRoot(primary, "runuser -u postgres -- psql -XAtc 'SHOW max_connections'");
  const etcd = members.map(({ address }) => `${address}:2379`).join(",");
  // A primary that stops first has sent everything to its standby.
  const inOrder = nodes.toSorted((a, b) => Number(b.name === primary) - Number(a.name === primary));
  for (const { name } of inOrder) await onHost(name, ["release"]);
  for (const { name, address } of inOrder) {
    await onHost(name, ["patroni", name, address, etcd, connections]);
    await until(`Patroni leads on ${primary}`, 120_000, async () => (await leader()) === primary);
  }
  for (const { name } of nodes) await onHost(name, ["route"], haproxy(topology));
  await untilWell("Replica");
}

export const patronictl = (words: string) => `patronictl -c /etc/patroni/config.yml ${words}`;

/** By the first node that answers; nobody, while none does. */
async function members(): Promise<Member[]> {
  const answers = nodes.map(({ name }) => asRoot(name, patronictl("list --format json")));
  return Promise.any(answers).then(
    ({ stdout }) => JSON.parse(stdout),
    () => [],
  );
}

/** Empty while there is none. */
export const leader = async () =>
  (await members()).find(({ Role, State }) => Role === "Leader" && State === "running")?.Member ?? "";

/** What Patroni calls a standby that follows, by whether commits wait for it. */
export type Standby = "Replica" | "Sync Standby";

export const untilWell = (standby: Standby) =>
  until("both members of Patroni are well", 300_000, async () => {
    const states = (await members()).map(({ Role, State }) => `${Role} ${State}`);
    return states.toSorted().join() === ["Leader running", `${standby} streaming`].join();
  });

/** From now on commits wait for the standby, while there is one. */
export async function beSynchronous(): Promise<void> {
  await asRoot(await leader(), patronictl("edit-config harbor --force --set synchronous_mode=true"));
}

/**
 * The nodes' HAProxy as it is when database and Redis are servers of yours; and before the database Patroni's own haproxy.cfg.
 */
function haproxy(topology: Topology): string {
  const redis = { host: witness.address, port: ports.redis, tls: false };
  const database = {
    host: "127.0.0.1",
    port: ports.postgresRoute,
    name: "registry",
    user: "harbor",
    sslMode: "verify-ca",
  };
  const rendered = renderHaproxy({ ...topology, redis, database }).files["/etc/haproxy/haproxy.cfg"]?.content;
  return `${rendered}
defaults
    log global
    mode tcp
    retries 2
    timeout client 30m
    timeout connect 4s
    timeout server 30m
    timeout check 5s

listen patroni
    bind 127.0.0.1:${ports.postgresRoute}
    option httpchk
    http-check expect status 200
    default-server inter 3s fall 3 rise 2 on-marked-down shutdown-sessions
${topology.nodes.map(({ name, address }) => `    server ${name} ${address}:${ports.postgres} maxconn 100 check port ${restPort}\n`).join("")}`;
}

/** Runs a verb of host.sh there. */
function onHost(machine: string, words: string[], input = "") {
  const quoted = words.map((word) => `'${word}'`).join(" ");
  return spawn("ssh", [...sshArguments(testStack, machine), `sh /run/patroni.sh ${quoted}`], {
    stdin: { string: input },
  });
}
