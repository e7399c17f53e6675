#!/bin/sh
# PgBouncer's operations on one host. Called by `harbor-ha`.
set -eu

# Not Debian's wrapper, which takes longer than most questions.
psql=/usr/lib/postgresql/17/bin/psql

# Its own administrator, by being the same user at its socket.
admin() { runuser -u postgres -- timeout "$1" $psql -XqAt -h /var/run/postgresql -p 6432 -U pgbouncer -c "$2" pgbouncer; }

# pause: Harbor's statements wait while this runs and its caller is alive, 15 s at most. Says `paused` once nothing is under
# way at the servers; a transaction that lasts longer than 3 s ends the attempt.
pause() {
  trap 'admin 5 "RESUME registry" >/dev/null 2>&1 || true; exit 0' EXIT INT TERM HUP PIPE
  admin 3 "PAUSE registry" >/dev/null || { echo "a transaction under way did not end within 3 s" >&2; trap - EXIT; admin 5 "RESUME registry" >/dev/null 2>&1 || true; exit 1; }
  echo paused
  # The caller's end of stdin closes with it.
  timeout 15 cat >/dev/null || true
}

# check: logs in as Harbor does, and writes: a transaction with a number of its own waits for whatever a commit waits for.
check() {
  PGPASSFILE=/etc/harbor-ha/harbor.pgpass PGCONNECT_TIMEOUT=5 timeout 8 $psql -XqAt -h 127.0.0.1 -p 6432 -U harbor -w registry \
    -c "SELECT 1 / (current_setting('server_encoding') = 'UTF8')::int, txid_current()" >/dev/null || {
    status=$?
    [ "$status" -ne 124 ] || echo "a write did not end within 8 s" >&2
    exit "$status"
  }
}

case "${1:-}" in
  pause | check) "$1" ;;
  *) echo "usage: pgbouncer.sh pause | check" >&2; exit 1 ;;
esac
