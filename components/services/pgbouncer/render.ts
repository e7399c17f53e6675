import { type Bundle, makeBundle } from "../../model/bundle.ts";
import { hostPaths } from "../../model/paths.ts";
import { ports } from "../../model/ports.ts";
import type { Topology } from "../../model/topology.ts";
import { alwaysUp, dropIn } from "../unit.ts";

export const pgbouncerPackages = ["pgbouncer"];
export const pgbouncerUnit = "pgbouncer.service";

const externalFile = "/etc/pgbouncer/external.ini";
const databases = (server: string) => `[databases]\nregistry = ${server}`;

export interface PgbouncerSecrets {
  /** Harbor's password at PgBouncer. */
  harbor: string;
  /** PgBouncer's own at a server of yours. */
  external?: string;
}

/**
 * PgBouncer on each node: Harbor's database, on the service address. Behind it HAProxy finds the primary, or a server of yours
 * answers. `ca`: of the server; absent: the system's list.
 */
export function renderPgbouncer(
  topology: Topology,
  options: { poolSize: number },
  secrets: PgbouncerSecrets,
  ca: string | undefined,
  script: string,
): Bundle {
  const { database } = topology;
  const own = { owner: "postgres:postgres" };
  const reload = { reload: pgbouncerUnit };
  return makeBundle("pgbouncer", {
    // A client, to try the way to a server of yours.
    packages: [...pgbouncerPackages, ...(database ? ["postgresql-client-17"] : [])],
    files: {
      [dropIn(pgbouncerUnit)]: alwaysUp(),
      "/etc/pgbouncer/pgbouncer.ini": {
        mode: "0640",
        ...own,
        onChange: reload,
        content: `${database ? `%include ${externalFile}` : databases(`host=127.0.0.1 port=${ports.postgresRoute} dbname=registry`)}

[pgbouncer]
listen_addr = ${topology.serviceAddress},127.0.0.1
listen_port = ${ports.pgbouncer}
unix_socket_dir = /var/run/postgresql
auth_type = scram-sha-256
auth_file = /etc/pgbouncer/userlist.txt
admin_users = postgres
pool_mode = transaction
# pgx prepares statements by name; PgBouncer keeps them per server connection.
max_prepared_statements = 500
# golang-migrate takes a session lock: none may stay on a pooled connection.
server_reset_query = SELECT pg_advisory_unlock_all()
server_reset_query_always = 1
max_client_conn = 1000
default_pool_size = ${options.poolSize}
server_lifetime = 300
server_idle_timeout = 60
server_connect_timeout = 5
server_login_retry = 0.2
query_wait_timeout = 20
tcp_user_timeout = 3000
tcp_keepidle = 10
tcp_keepintvl = 3
tcp_keepcnt = 3
server_tls_sslmode = ${database?.sslMode ?? "verify-ca"}
server_tls_ca_file = ${ca === undefined ? "/etc/ssl/certs/ca-certificates.crt" : "/etc/pgbouncer/ca.crt"}
ignore_startup_parameters = extra_float_digits,options
# To the journal, whose size has a limit.
syslog = 1
pidfile = /var/run/postgresql/pgbouncer.pid
`,
      },
      // In plain, because PgBouncer logs in with it; read by its user alone.
      "/etc/pgbouncer/userlist.txt": {
        mode: "0600",
        ...own,
        onChange: reload,
        content: `"harbor" "${secrets.harbor}"\n`,
      },
      [`${hostPaths.programs}/pgbouncer.sh`]: { mode: "0755", content: script },
      ...(ca === undefined ? {} : { "/etc/pgbouncer/ca.crt": { mode: "0644", ...own, onChange: reload, content: ca } }),
      ...(database
        ? {
            // A reload would leave connected clients with the user of the former server.
            [externalFile]: {
              mode: "0640",
              ...own,
              onChange: { restart: pgbouncerUnit },
              content: `${databases(`host=${database.host} port=${database.port} dbname=${database.name} user=${database.user} password=${secrets.external}`)}\n`,
            },
          }
        : {}),
      // For `check`, which logs in as Harbor does.
      [`${hostPaths.etc}/harbor.pgpass`]: {
        mode: "0600",
        content: `*:${ports.pgbouncer}:registry:harbor:${secrets.harbor}\n`,
      },
    },
    units: [pgbouncerUnit],
  });
}
