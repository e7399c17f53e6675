import { Redis } from "ioredis";
import { Client } from "pg";
import type { HostFacts } from "../../components/model/host-facts.ts";
import { type Inventory, presentNodes } from "../../components/model/inventory.ts";
import { hostPaths } from "../../components/model/paths.ts";
import type { RecordEntry } from "../../components/model/record.ts";
import { virtualAddressOf } from "../../components/model/topology.ts";
import { Ssh } from "./ssh.ts";

/** What PostgreSQL says over its driver. */
export interface PostgresFacts {
  timeline: number;
  systemIdentifier: string;
  synchronousStandbyNames: string;
  /** On a primary: its standbys. */
  standbys: { name: string; state: string; syncState: string; lagBytes: number }[];
  slots: { name: string; active: boolean; keptBytes: number }[];
  pendingRestart: string[];
  /** Whether the files lower a setting in which a standby must not be below its primary. */
  lowered: boolean;
}

export interface RedisFacts {
  role: string;
  /** On a replica: whether the link to its master is up. */
  linkUp?: boolean;
  replicas: number;
  usedMemory: number;
  maxMemory: number;
}

export interface NodeObservation {
  name: string;
  /** `unknown`: the host answered, but not what was asked; `absent`: the configuration says to leave it alone. */
  reach: "up" | "unreachable" | "unknown" | "absent";
  reason?: string;
  host?: HostFacts;
  postgres?: PostgresFacts;
  redis?: RedisFacts;
}

/** The pair at one moment, by node name. */
export type Observation = Record<string, NodeObservation>;

/** Whether a node holds the virtual address, where there is one. */
export function holdsEndpoint({ topology }: Inventory, node: NodeObservation): boolean {
  const address = virtualAddressOf(topology);
  return address !== undefined && node.host?.addresses.includes(address) === true;
}

/** The newest entry of the record that a node reads. */
export function newestOf({ host }: NodeObservation): RecordEntry | undefined {
  return host?.record.belief.state === "good" ? host.record.belief.newest : undefined;
}

/** The newest entry that any node reads: read a moment apart, one may be an entry behind. */
export function newestEntry(nodes: NodeObservation[]): RecordEntry | undefined {
  return nodes.flatMap((node) => newestOf(node) ?? []).sort((a, b) => b.epoch - a.epoch)[0];
}

/** Connections to all hosts of the pair for the length of one command. */
export class Cluster {
  readonly inventory: Inventory;
  readonly hosts: Map<string, Ssh>;

  /** `sshConfig`: an ssh_config of the operator's for every connection. */
  constructor(inventory: Inventory, sshConfig?: string) {
    this.inventory = inventory;
    this.hosts = new Map(
      presentNodes(inventory).map(({ name }) => {
        const access = inventory.access[name];
        if (!access) throw new Error(`no login for ${name}`);
        return [name, new Ssh(name, access, sshConfig)];
      }),
    );
  }

  host(name: string): Ssh {
    const host = this.hosts.get(name);
    if (!host) throw new Error(`no host ${name}`);
    return host;
  }

  /** Asks all hosts at once, in parallel. Reads only. */
  async observe(): Promise<Observation> {
    const nodes = await Promise.all([...this.hosts.values()].map(observeNode));
    return Object.fromEntries(nodes.map((node) => [node.name, node]));
  }

  close(): void {
    for (const host of this.hosts.values()) host.close();
  }
}

/** The agent tells what it sees; where none answers, a program of its own looks, which takes longer. */
const askFacts = `curl -sf -m 12 -X POST --unix-socket ${hostPaths.agentSocket} http://agent/facts || node ${hostPaths.programs}/agent.cjs facts`;

async function observeNode(ssh: Ssh): Promise<NodeObservation> {
  const { name } = ssh;
  const answer = await ssh.run(askFacts, { timeoutMs: 30_000 });
  if (answer.status === 255) return { name, reach: "unreachable", reason: answer.stderr.trim().split("\n").at(-1) };
  if (answer.status !== 0) return { name, reach: "unknown", reason: answer.stderr.trim().split("\n").at(-1) };
  // An agent of an earlier version does not say everything.
  const host: HostFacts = { unreachable: {}, maintenance: false, ...JSON.parse(answer.stdout) };
  const [postgres, redis] = await Promise.all([
    host.postgres.role === "down" ? undefined : askPostgres(ssh).catch(() => undefined),
    host.redis.role === "down" ? undefined : askRedis(ssh).catch(() => undefined),
  ]);
  return { name, reach: "up", host, postgres, redis };
}

/** Over the forwarded local socket, as the superuser by peer authentication: no password is involved. */
export async function withPostgres<T>(ssh: Ssh, work: (client: Client) => Promise<T>): Promise<T> {
  const socket = await ssh.forwardSocket(`${hostPaths.postgresSocketDirectory}/.s.PGSQL.5432`, ".s.PGSQL.5432");
  const client = new Client({
    host: socket.slice(0, socket.lastIndexOf("/")),
    user: "postgres",
    database: "postgres",
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

function askPostgres(ssh: Ssh): Promise<PostgresFacts> {
  return withPostgres(ssh, async (client) => {
    const { rows } = await client.query(`
      WITH here AS (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn)
      SELECT (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
             (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
             current_setting('synchronous_standby_names') AS synchronous_standby_names,
             (SELECT coalesce(json_agg(json_build_object('name', application_name, 'state', state, 'syncState', sync_state,
                'lagBytes', coalesce(pg_wal_lsn_diff(here.lsn, flush_lsn), -1)::bigint)), '[]') FROM pg_stat_replication) AS standbys,
             (SELECT coalesce(json_agg(json_build_object('name', slot_name, 'active', active,
                'keptBytes', coalesce(pg_wal_lsn_diff(here.lsn, restart_lsn), 0)::bigint)), '[]') FROM pg_replication_slots) AS slots,
             (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM pg_settings WHERE pending_restart) AS pending_restart,
             (SELECT count(*) > 0 FROM pg_file_settings file JOIN pg_settings running USING (name)
              WHERE name IN ('max_connections', 'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions', 'max_locks_per_transaction')
                AND file.seqno = (SELECT max(seqno) FROM pg_file_settings last WHERE last.name = file.name)
                AND file.setting::int < running.setting::int) AS lowered
      FROM here`);
    const [row] = rows;
    return {
      timeline: row.timeline,
      systemIdentifier: row.system_identifier,
      synchronousStandbyNames: row.synchronous_standby_names,
      standbys: row.standbys,
      slots: row.slots,
      pendingRestart: row.pending_restart,
      lowered: row.lowered,
    };
  });
}

async function askRedis(ssh: Ssh): Promise<RedisFacts> {
  const path = await ssh.forwardSocket(hostPaths.redisSocket, "redis.sock");
  // Read where it lies, kept in memory: the operator's machine stores no password.
  const { stdout: password } = await ssh.run(`cat ${hostPaths.etc}/redis.password`);
  const client = new Redis({
    path,
    password,
    lazyConnect: true,
    connectTimeout: 5_000,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    const info = Object.fromEntries(
      (await client.info())
        .split("\r\n")
        .filter((line) => line.includes(":"))
        .map((line) => line.split(":", 2) as [string, string]),
    );
    return {
      role: info.role ?? "unknown",
      linkUp: info.master_link_status ? info.master_link_status === "up" : undefined,
      replicas: Number(info.connected_slaves ?? 0),
      usedMemory: Number(info.used_memory ?? 0),
      maxMemory: Number(info.maxmemory ?? 0),
    };
  } finally {
    client.disconnect();
  }
}
