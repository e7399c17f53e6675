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
# Not Debian's wrapper, which takes longer than most questions.
query() { as_postgres "$bin/psql" -XqAt -v ON_ERROR_STOP=1 "$@"; }
die() { echo "$*" >&2; exit 1; }

# Debian's unit returns once the server accepts connections. Its gate asks the record first.
start() { systemctl start "$unit"; }

settings_are_read() { rm -f "/var/lib/harbor-ha/restart-needed/postgresql%4017-main.service"; }

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
  # pg_rewind reads the control file, which tells a new timeline only after a checkpoint.
  query -d postgres -c CHECKPOINT >/dev/null
  query -d postgres < "$roles" >/dev/null
  query -d postgres -c "SELECT pg_create_physical_replication_slot('$1') WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$1')" >/dev/null
}

conninfo_of() {
  echo "host=$1 port=5432 user=replication application_name=$2 connect_timeout=5 sslmode=verify-ca sslrootcert=/etc/postgresql/17/main/tls/ca.crt passfile=/var/lib/postgresql/.pgpass"
}

# Makes a data directory that of a standby. postgresql.auto.conf is role state: what another role left in it goes.
become_standby() {
  printf "primary_conninfo = '%s'\nprimary_slot_name = '%s'\n" "$(conninfo_of "$2" "$3")" "$3" > "$1/postgresql.auto.conf"
  : > "$1/standby.signal"
  chown postgres:postgres "$1/postgresql.auto.conf" "$1/standby.signal"
  chmod 600 "$1/postgresql.auto.conf" "$1/standby.signal"
  sync -f "$1"
}

# clone PRIMARY_ADDRESS SELF: a standby's data from the primary, into an empty data directory.
clone() {
  [ ! -e "$data" ] || [ -z "$(ls -A "$data")" ] || die "$data is not empty: refusing to clone over data"
  rm -rf "$unfinished"
  as_postgres "$bin/pg_basebackup" -D "$unfinished" -d "$(conninfo_of "$1" "$2")" -X stream -S "$2" --checkpoint=fast --no-password
  become_standby "$unfinished" "$1" "$2"
  [ ! -e "$data" ] || rmdir "$data"
  mv -T "$unfinished" "$data"
  sync -f "$data"
  start
}

own() { /usr/local/lib/harbor-ha/own.sh "$1"; }

# stop_former TOKEN: ends PostgreSQL here, and proves it. Prints the state of the data and its last checkpoint.
stop_former() {
  own "$1"
  # A fast shutdown, asked of the server itself: the unit's own way there costs a fifth of a second, in which clients wait.
  postmaster=$(head -n 1 "$data/postmaster.pid" 2>/dev/null) || postmaster=
  if [ -n "$postmaster" ] && systemctl is-active --quiet "$unit" && kill -INT "$postmaster" 2>/dev/null; then
    timeout 30 sh -c "while kill -0 $postmaster; do sleep 0.02; done" 2>/dev/null || systemctl kill --signal=SIGKILL "$unit" || true
  fi
  case "$(systemctl is-active "$unit")" in
    # Without its server the unit ends by itself, in a time for which nobody has to wait.
    inactive | failed | deactivating) ;;
    *) timeout 30 systemctl stop "$unit" || systemctl kill --signal=SIGKILL "$unit" || true ;;
  esac
  ! systemctl is-active --quiet "$unit" || die "$unit does not stop"
  ! pgrep -u postgres -f "$bin/postgres" >/dev/null || die "PostgreSQL still runs, outside of $unit"
  "$bin/pg_controldata" -D "$data" | sed -n 's/^Database cluster state: *//p; s/^Latest checkpoint location: *//p' | paste -s -d '|'
}

# is_standby: whether the database here has not been promoted. Under the lock, so that no promotion is under way.
is_standby() { query -d postgres -c 'SELECT pg_is_in_recovery()'; }

# promote TOKEN PEER [LSN]: makes the standby here the primary, with a slot for its peer, once it holds everything up to and
# including the checkpoint at that position; received in this life of the server, or replayed from its own disk. One that is
# promoted already, by an earlier attempt at this move, is past that question. Prints timeline and where it began. No
# checkpoint here: clients wait.
promote() {
  own "$1"
  systemctl is-active --quiet "$unit" || start_under "$1"
  timeline=$(query -d postgres -f - <<EOF
DO \$\$
DECLARE
  began timestamptz := clock_timestamp();
  needed pg_lsn := nullif('${3:-}', '');
BEGIN
  IF pg_is_in_recovery() THEN
    WHILE needed IS NOT NULL AND NOT coalesce(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) > needed, false) LOOP
      IF clock_timestamp() > began + interval '10 s' THEN
        RAISE EXCEPTION 'it has not received % within 10 s, and was not promoted', needed;
      END IF;
      PERFORM pg_sleep(0.02);
    END LOOP;
    PERFORM pg_promote(false);
    WHILE pg_is_in_recovery() LOOP
      IF clock_timestamp() > began + interval '60 s' THEN RAISE EXCEPTION 'it did not become primary within 60 s'; END IF;
      PERFORM pg_sleep(0.02);
    END LOOP;
  END IF;
  PERFORM pg_create_physical_replication_slot('$2', true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$2');
END \$\$;
SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8);
EOF
  )
  history="$data/pg_wal/$timeline.history"
  printf '%d|%s\n' "0x$timeline" "$([ ! -e "$history" ] || awk 'NF { lsn = $2 } END { print lsn }' "$history")"
}

# follow PRIMARY_ADDRESS SELF: data that was shut down cleanly, or rewound, goes on as the standby of that primary.
follow() {
  ! systemctl is-active --quiet "$unit" || die "$unit runs"
  become_standby "$data" "$1" "$2"
  follow_on
}

follow_on() {
  start
  settings_are_read
  # Slots of the time as primary would keep WAL for nobody.
  query -d postgres -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active" >/dev/null
}

# Whether WAL arrives from the primary within half a minute.
receives() {
  for _ in $(seq 60); do
    [ "$(query -d postgres -c "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'")" != 1 ] || return 0
    sleep 0.5
  done
  return 1
}

# rejoin PRIMARY_ADDRESS SELF: this node's data becomes the standby's: a former primary's by rewinding it; where that fails, and
# for a standby that cannot follow, by a new copy. The former data is kept beside it until `rejoined`. Prints what it did.
rejoin() {
  log=/var/lib/harbor-ha/rewind.log
  # Data that was being rewound when somebody pulled the plug is neither the one nor the other.
  if [ -e "$data.rewinding" ]; then
    echo "an earlier rewind did not end: the database is copied anew" >&2
  elif [ -e "$data/standby.signal" ]; then
    systemctl is-active --quiet "$unit" || start || true
    if receives; then echo follows; return; fi
    echo "it is a standby already, but cannot follow: the database is copied anew" >&2
  elif [ -e "$data/PG_VERSION" ]; then
    ! systemctl is-active --quiet "$unit" || die "PostgreSQL runs here as primary"
    : > "$data.rewinding"
    sync "$data.rewinding"
    if as_postgres "$bin/pg_rewind" --target-pgdata="$data" --config-file=/etc/postgresql/17/main/postgresql.conf \
      --source-server="$(conninfo_of "$1" "$2") dbname=postgres" > "$log" 2>&1; then
      become_standby "$data" "$1" "$2"
      rm -f "$data.rewinding"
      follow_on
      if receives; then echo rewound; return; fi
    fi
    echo "it could not be rewound ($log): the database is copied anew" >&2
  fi
  systemctl stop "$unit" || true
  if [ -e "$data/PG_VERSION" ]; then
    rm -rf "$data.former"
    mv -T "$data" "$data.former"
  fi
  rm -f "$data.rewinding"
  clone "$1" "$2"
  echo copied
}

# rejoined: the former data is no longer needed.
rejoined() { rm -rf "$data.former"; }

# restart: only if the record would let it start again.
restart() {
  node /usr/local/lib/harbor-ha/agent.cjs gate postgres || die "not restarted: it would not come back"
  query -d postgres -c CHECKPOINT >/dev/null || true
  systemctl restart "$unit"
  start
  settings_are_read
}

verb=${1:-}
[ $# -eq 0 ] || shift
case "$verb" in
  initialise | prepare | clone | start | restart | stop_former | is_standby | promote | follow | rejoin | rejoined) "$verb" "$@" ;;
  *) die "usage: postgres.sh initialise TOKEN | prepare PEER | clone PRIMARY SELF | start | restart | stop_former TOKEN | is_standby | promote TOKEN PEER [LSN] | follow PRIMARY SELF | rejoin PRIMARY SELF | rejoined" ;;
esac
