import { Client } from "pg";
import { hostPaths } from "../../components/model/paths.ts";
import { quoted } from "./running.ts";

const deadlineMs = 2_000;

/** What a server that answers says about itself. */
export interface ServerState {
  role: "primary" | "standby";
  systemIdentifier: string;
  timeline: number;
  synchronousNames: string;
  standbys: { name: string; streaming: boolean; synchronous: boolean; flushed?: bigint; lastReply: string }[];
}

/**
 * PostgreSQL on this node over one lasting connection through its local socket, as the superuser. `down`: nobody listens
 * or the server is starting; `silent`: it is there and does not answer.
 */
export class PostgresSession {
  private client?: Client;

  async state(): Promise<ServerState | "down" | "silent"> {
    try {
      const { rows } = await (await this.connected()).query(`
        SELECT pg_is_in_recovery() AS recovery, current_setting('synchronous_standby_names') AS names,
               (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
               (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
               (SELECT coalesce(json_agg(json_build_object('name', application_name, 'state', state, 'sync', sync_state,
                  'flushed', flush_lsn::text, 'reply', reply_time::text)), '[]') FROM pg_stat_replication) AS standbys`);
      const [row] = rows;
      return {
        role: row.recovery ? "standby" : "primary",
        systemIdentifier: row.system_identifier,
        timeline: row.timeline,
        synchronousNames: row.names,
        standbys: row.standbys.map((standby: Record<string, string>) => ({
          name: standby.name,
          streaming: standby.state === "streaming",
          synchronous: standby.sync === "sync",
          flushed: standby.flushed ? lsnBytes(standby.flushed) : undefined,
          lastReply: standby.reply ?? "",
        })),
      };
    } catch (error) {
      this.close();
      return isAbsent(error as Error & { code?: string }) ? "down" : "silent";
    }
  }

  /** Commits wait for the named standby from now on; without a name for nobody. */
  async setSynchronous(name: string | undefined): Promise<void> {
    const client = await this.connected();
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = '${name === undefined ? "" : quoted(name)}'`);
    await client.query("SELECT pg_reload_conf()");
  }

  /**
   * A position up to which everything acknowledged without waiting for the standby lies; later commits wait. The
   * checkpointer switches the waiting on, when it reads the setting: a checkpoint asked for now begins after that.
   */
  async proveWaiting(): Promise<bigint> {
    const client = await this.open(600_000);
    try {
      await client.query("CHECKPOINT");
      const { rows } = await client.query("SELECT pg_current_wal_flush_lsn()::text AS lsn");
      return lsnBytes(rows[0].lsn);
    } finally {
      client.end().catch(() => {});
    }
  }

  private async connected(): Promise<Client> {
    if (this.client) return this.client;
    const client = await this.open(deadlineMs);
    const forget = () => {
      if (this.client === client) this.client = undefined;
    };
    client.on("error", forget);
    client.on("end", forget);
    this.client = client;
    return client;
  }

  private async open(queryTimeoutMs: number): Promise<Client> {
    const client = new Client({
      host: hostPaths.postgresSocketDirectory,
      user: "postgres",
      database: "postgres",
      application_name: "harbor-ha-agent",
      connectionTimeoutMillis: deadlineMs,
      query_timeout: queryTimeoutMs,
    });
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  close(): void {
    this.client?.end().catch(() => {});
    this.client = undefined;
  }
}

/** Nobody listens, or the server says itself that it is starting or stopping. */
function isAbsent({ code, message }: Error & { code?: string }): boolean {
  return (
    ["ENOENT", "ECONNREFUSED", "ECONNRESET", "57P01", "57P02", "57P03"].includes(code ?? "") ||
    message.includes("Connection terminated unexpectedly")
  );
}

/** `16/B374D848` as a number of bytes. */
export function lsnBytes(lsn: string): bigint {
  const [high = "0", low = "0"] = lsn.split("/");
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}
