import type { Bundle } from "../../model/bundle.ts";
import { makeBundle } from "../../model/bundle.ts";
import type { Node } from "../../model/node.ts";
import { hostPaths } from "../../model/paths.ts";
import { ports } from "../../model/ports.ts";
import type { Topology } from "../../model/topology.ts";
import { postgresUnit } from "../../model/units.ts";
import { gateBefore } from "../agent/render.ts";
import { dropIn, startedByRecord } from "../unit.ts";
import { restartSettings } from "./settings.ts";

export interface PostgresOptions {
  maxConnections: number;
  sharedBuffersMb: number;
  maxSlotWalKeepMb: number;
  settings: Record<string, string | number | boolean>;
}

/** Placeholders of the secrets that the files need. */
export interface PostgresSecrets {
  replication: string;
  harbor: string;
  certificate: string;
  privateKey: string;
  caCertificate: string;
}

export const postgresPackages = ["postgresql-17"];
const etc = "/etc/postgresql/17/main";

/**
 * PostgreSQL on one node, the same on both but for its name: role state (standby.signal, primary_conninfo,
 * synchronous_standby_names, slots) belongs to operations and lies in the data directory.
 */
export function renderPostgres(
  topology: Topology,
  node: Node,
  options: PostgresOptions,
  secrets: PostgresSecrets,
  scripts: { postgres: string },
): Bundle {
  // In place of a server of yours there is none: a former one is stopped, and its data stays.
  if (topology.database) return makeBundle("postgres", {});
  const own = { owner: "postgres:postgres" };
  const reload = { reload: postgresUnit };
  const restart = { restart: postgresUnit };
  const { reloaded, restarted } = settings(node, options);
  return makeBundle("postgres", {
    packages: postgresPackages,
    directories: {
      "/etc/postgresql/17": { mode: "0755", ...own },
      [etc]: { mode: "0755", ...own },
      [`${etc}/conf.d`]: { mode: "0755", ...own },
      "/etc/postgresql/17/main/tls": { mode: "0700", ...own },
      "/var/lib/postgresql": { mode: "0755", ...own },
      "/var/lib/postgresql/17": { mode: "0755", ...own },
    },
    files: {
      [`${etc}/postgresql.conf`]: {
        mode: "0644",
        ...own,
        onChange: restart,
        content: `# Made by harbor-ha; settings are in conf.d.\ninclude_dir = 'conf.d'\n`,
      },
      [`${etc}/conf.d/10-reload.conf`]: { mode: "0644", ...own, onChange: reload, content: conf(reloaded) },
      [`${etc}/conf.d/20-restart.conf`]: {
        mode: "0644",
        ...own,
        onChange: restart,
        content: `# A change here restarts PostgreSQL: \`roll\` takes the standby first, then the primary.\n${conf(restarted)}`,
      },
      [`${etc}/pg_hba.conf`]: { mode: "0640", ...own, onChange: reload, content: hba(topology) },
      [`${etc}/pg_ident.conf`]: {
        mode: "0640",
        ...own,
        onChange: reload,
        content:
          "# root and the agent act as the superuser, through the local socket only.\noperators root postgres\noperators postgres postgres\n",
      },
      [`${etc}/start.conf`]: { mode: "0644", ...own, content: "manual\n" },
      [`${etc}/environment`]: { mode: "0644", ...own, content: "" },
      [`${etc}/pg_ctl.conf`]: { mode: "0644", ...own, content: "pg_ctl_options = ''\n" },
      [`${etc}/tls/server.crt`]: { mode: "0644", ...own, onChange: reload, content: secrets.certificate },
      [`${etc}/tls/server.key`]: { mode: "0600", ...own, onChange: reload, content: secrets.privateKey },
      [`${etc}/tls/ca.crt`]: { mode: "0644", ...own, content: secrets.caCertificate },
      // For the standby's connection to whichever node is the primary.
      "/var/lib/postgresql/.pgpass": {
        mode: "0600",
        ...own,
        content: `*:${ports.postgres}:*:replication:${secrets.replication}\n`,
      },
      [`${hostPaths.etc}/postgres/roles.sql`]: { mode: "0600", content: roles(secrets) },
      [dropIn(postgresUnit)]: startedByRecord(gateBefore("postgres")),
      [`${hostPaths.programs}/postgres.sh`]: { mode: "0755", content: scripts.postgres },
    },
    managedUnits: [postgresUnit],
  });
}

function settings(node: Node, options: PostgresOptions) {
  const all: Record<string, string | number | boolean> = {
    data_directory: hostPaths.postgresData,
    hba_file: `${etc}/pg_hba.conf`,
    ident_file: `${etc}/pg_ident.conf`,
    external_pid_file: "/var/run/postgresql/17-main.pid",
    listen_addresses: `127.0.0.1,${node.address}`,
    port: ports.postgres,
    unix_socket_directories: hostPaths.postgresSocketDirectory,
    // The standby is named in synchronous_standby_names by this.
    cluster_name: node.name,
    max_connections: options.maxConnections,
    shared_buffers: `${options.sharedBuffersMb}MB`,
    wal_level: "replica",
    wal_log_hints: true,
    hot_standby: true,
    max_wal_senders: 10,
    max_replication_slots: 10,
    // On from the start, so that backups need no restart later.
    archive_mode: true,
    archive_command: "/bin/true",
    password_encryption: "scram-sha-256",
    ssl: true,
    ssl_cert_file: `${etc}/tls/server.crt`,
    ssl_key_file: `${etc}/tls/server.key`,
    synchronous_commit: true,
    wal_keep_size: "1GB",
    max_slot_wal_keep_size: `${options.maxSlotWalKeepMb}MB`,
    max_wal_size: "1GB",
    // A peer that vanished is noticed in seconds.
    wal_sender_timeout: "10s",
    wal_receiver_timeout: "10s",
    wal_receiver_status_interval: "1s",
    tcp_keepalives_idle: 10,
    tcp_keepalives_interval: 3,
    tcp_keepalives_count: 3,
    tcp_user_timeout: "10s",
    // To the journal, whose size has a limit.
    log_destination: "syslog",
    log_line_prefix: "%q%u@%d ",
    log_checkpoints: true,
    log_lock_waits: true,
    // A statement may hold a password: errors name themselves, not the statement.
    log_min_error_statement: "panic",
    timezone: "Etc/UTC",
    log_timezone: "Etc/UTC",
    lc_messages: "C.UTF-8",
    ...options.settings,
  };
  const entries = Object.entries(all).sort(([a], [b]) => a.localeCompare(b));
  return {
    reloaded: entries.filter(([name]) => !restartSettings.has(name)),
    restarted: entries.filter(([name]) => restartSettings.has(name)),
  };
}

const conf = (entries: [string, string | number | boolean][]) =>
  entries
    .map(
      ([name, value]) =>
        `${name} = ${typeof value === "string" ? `'${value}'` : value === true ? "on" : value === false ? "off" : value}\n`,
    )
    .join("");

/** Closed to all but the two nodes, by name, password and TLS. */
function hba(topology: Topology): string {
  const lines = topology.nodes.flatMap(({ address }) => [
    `hostssl registry    harbor      ${address}/32 scram-sha-256`,
    `hostssl replication replication ${address}/32 scram-sha-256`,
    // pg_rewind reads the new primary's files through this database.
    `hostssl postgres    replication ${address}/32 scram-sha-256`,
  ]);
  return [
    "local   all         postgres    peer map=operators",
    "local   replication postgres    peer map=operators",
    ...lines,
    "",
  ].join("\n");
}

/** Run on the primary by \`roll\`; may be run again, and sets the passwords anew each time. */
function roles(secrets: PostgresSecrets): string {
  return `SET log_statement = 'none';
SELECT 'CREATE ROLE replication LOGIN REPLICATION' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'replication') \\gexec
SELECT 'CREATE ROLE harbor LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'harbor') \\gexec
ALTER ROLE replication PASSWORD '${secrets.replication}';
ALTER ROLE harbor PASSWORD '${secrets.harbor}';
GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean), pg_read_binary_file(text), pg_read_binary_file(text, bigint, bigint, boolean) TO replication;
SELECT 'CREATE DATABASE registry OWNER harbor TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C.UTF-8''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'registry') \\gexec
REVOKE CONNECT ON DATABASE registry FROM PUBLIC;
`;
}
