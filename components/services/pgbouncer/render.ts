import { type Bundle, makeBundle } from "../../model/bundle.ts";
import { hostPaths } from "../../model/paths.ts";
import { ports } from "../../model/ports.ts";
import type { Topology } from "../../model/topology.ts";
import { alwaysUp, dropIn } from "../unit.ts";

export const pgbouncerPackages = ["pgbouncer"];
export const pgbouncerUnit = "pgbouncer.service";

/** PgBouncer on each node: Harbor's database, on the service address; HAProxy behind it finds the primary. */
export function renderPgbouncer(
  topology: Topology,
  options: { poolSize: number },
  harborPassword: string,
  ca: string,
  script: string,
): Bundle {
  const own = { owner: "postgres:postgres" };
  const reload = { reload: pgbouncerUnit };
  return makeBundle("pgbouncer", {
    packages: pgbouncerPackages,
    files: {
      [dropIn(pgbouncerUnit)]: alwaysUp(),
      "/etc/pgbouncer/pgbouncer.ini": {
        mode: "0640",
        ...own,
        onChange: reload,
        content: `[databases]
registry = host=127.0.0.1 port=${ports.postgresRoute} dbname=registry

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
server_login_retry = 1
query_wait_timeout = 20
tcp_user_timeout = 3000
tcp_keepidle = 10
tcp_keepintvl = 3
tcp_keepcnt = 3
server_tls_sslmode = verify-ca
server_tls_ca_file = /etc/pgbouncer/ca.crt
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
        content: `"harbor" "${harborPassword}"\n`,
      },
      [`${hostPaths.programs}/pgbouncer.sh`]: { mode: "0755", content: script },
      "/etc/pgbouncer/ca.crt": { mode: "0644", ...own, onChange: reload, content: ca },
    },
    units: [pgbouncerUnit],
  });
}
