#!/bin/sh
# PostgreSQL's operations on one host. Called by `harbor-ha` under the host's lock; every verb may be run again.
set -eu
export LC_ALL=C.UTF-8
data=/var/lib/postgresql/17/main
bin=/usr/lib/postgresql/17/bin
unit=postgresql@17-main.service
roles=/etc/harbor-ha/postgres/roles.sql
# A directory that initdb or a base backup had not finished; only such data may be thrown away.
unfinished="$data.unfinished"
# The token of the intent under which the very first database was made here.
first=/var/lib/postgresql/17/first-token

as_postgres() { runuser -u postgres -- "$@"; }
query() { as_postgres psql -XqAt -v ON_ERROR_STOP=1 "$@"; }
die() { echo "$*" >&2; exit 1; }

# Debian's unit returns once the server accepts connections. Its gate asks the record first.
start() { systemctl start "$unit"; }

# Starts under an intent: the gate lets the operation in that carries the intent's token.
start_under() {
  mkdir -p /run/harbor-ha
  trap 'rm -f /run/harbor-ha/operation-token' EXIT
  echo "$1" > /run/harbor-ha/operation-token
  start
}

# initialise TOKEN: the very first database of the pair, under the intent with that token. Refuses all other data.
initialise() {
  if [ -s "$first" ] && [ "$(cat "$first")" = "$1" ] && [ -e "$data/PG_VERSION" ]; then start_under "$1"; return; fi
  [ ! -e "$data" ] || [ -z "$(ls -A "$data")" ] || die "$data is not empty: refusing to initialise over data"
  rm -rf "$unfinished"
  echo "$1" > "$first"
  as_postgres "$bin/initdb" -D "$unfinished" --data-checksums --encoding=UTF8 --locale=C.UTF-8 --auth=peer --no-instructions >/dev/null
  [ ! -e "$data" ] || rmdir "$data"
  mv -T "$unfinished" "$data"
  sync -f "$data"
  start_under "$1"
}

# prepare PEER: roles, database and the peer's slot, on the primary.
prepare() {
  query -d postgres < "$roles" >/dev/null
  query -d postgres -c "SELECT pg_create_physical_replication_slot('$1') WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$1')" >/dev/null
}

# clone PRIMARY_ADDRESS SELF: a standby's data from the primary, into an empty data directory.
clone() {
  [ ! -e "$data" ] || [ -z "$(ls -A "$data")" ] || die "$data is not empty: refusing to clone over data"
  rm -rf "$unfinished"
  conninfo="host=$1 port=5432 user=replication application_name=$2 connect_timeout=5 sslmode=verify-ca sslrootcert=/etc/postgresql/17/main/tls/ca.crt passfile=/var/lib/postgresql/.pgpass"
  as_postgres "$bin/pg_basebackup" -D "$unfinished" -d "$conninfo" -X stream -S "$2" --checkpoint=fast --no-password
  # postgresql.auto.conf is role state: it came with the primary's and is written anew.
  printf "primary_conninfo = '%s'\nprimary_slot_name = '%s'\n" "$conninfo" "$2" > "$unfinished/postgresql.auto.conf"
  : > "$unfinished/standby.signal"
  chown postgres:postgres "$unfinished/postgresql.auto.conf" "$unfinished/standby.signal"
  chmod 600 "$unfinished/postgresql.auto.conf" "$unfinished/standby.signal"
  [ ! -e "$data" ] || rmdir "$data"
  mv -T "$unfinished" "$data"
  sync -f "$data"
  start
}

# restart: only if the record would let it start again.
restart() {
  node /usr/local/lib/harbor-ha/agent.cjs gate postgres || die "not restarted: it would not come back"
  query -d postgres -c CHECKPOINT >/dev/null || true
  systemctl restart "$unit"
  start
  rm -f "/var/lib/harbor-ha/restart-needed/postgresql%4017-main.service"
}

verb=${1:-}
[ $# -eq 0 ] || shift
case "$verb" in
  initialise | prepare | clone | start | restart) "$verb" "$@" ;;
  *) die "usage: postgres.sh initialise TOKEN | prepare PEER | clone PRIMARY SELF | start | restart" ;;
esac
