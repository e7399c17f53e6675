#!/bin/sh
# Redis' operations on one host. Called by `harbor-ha` under the host's lock; every verb may be run again.
set -eu
role=/var/lib/redis/role.conf
unit=redis-server.service

# role [MASTER_ADDRESS]: what this node is from its next start on; without an address the master.
role() { write "${1:+replicaof $1 6379}"; }

write() {
  temporary="$role.new"
  echo "${1:-# master}" > "$temporary"
  chown redis:redis "$temporary"
  chmod 640 "$temporary"
  sync "$temporary"
  mv "$temporary" "$role"
}

own() { /usr/local/lib/harbor-ha/own.sh "$1"; }

# One command to a running server: at its socket here, or at another address. The password goes over stdin: neither
# arguments nor environments may show it.
ask() {
  at=$1
  shift
  # shellcheck disable=SC2086 # words
  { printf 'AUTH %s\n' "$(cat /etc/harbor-ha/redis.password)"; printf '%s\n' "$*"; } | timeout 5 redis-cli $at 2>&1 | tail -n +2 | tr -d '\r'
}
live() { ask "-s /run/redis/redis-server.sock" "$@"; }
offset() { sed -n "s/^$1_repl_offset://p"; }

# promote TOKEN: the replica here becomes the master, now and at its next start. One that is down, or does not do as it is
# told, is started by the agent once the record is settled: nothing here may hold up a database that is promoted already.
promote() {
  own "$1"
  write ""
  systemctl is-active --quiet "$unit" || return 0
  answer=$(live REPLICAOF NO ONE) || true
  [ "$answer" = OK ] || {
    echo "Redis answered '$answer': it is started anew as master" >&2
    systemctl kill --signal=SIGKILL "$unit" || true
  }
}

# hand_over TOKEN ADDRESS: writes wait until the replica there has everything; then this one becomes its replica, and that one
# the master: never both the master. Where that does not work at once, it stops, which gives the replica what there is too.
# Not by FAILOVER: that waits up to a second for the replica's next word on how far it is.
hand_over() {
  own "$1"
  case "$(live INFO replication)" in *role:slave*) write "replicaof $2 6379"; return ;; esac
  if [ "$(live CLIENT PAUSE 3000 WRITE)" = OK ]; then
    here=$(live INFO replication | offset master)
    for _ in $(seq 40); do
      there=$(ask "-h $2 -p 6379" INFO replication | offset slave)
      if [ -n "$here" ] && [ "${there:-0}" -ge "$here" ]; then
        follow "$2"
        ask "-h $2 -p 6379" REPLICAOF NO ONE >/dev/null
        return
      fi
      sleep 0.05
    done
  fi
  end
}

# stop TOKEN: gives its replica what it has before it ends.
stop() {
  own "$1"
  end
}

end() { timeout 20 systemctl stop "$unit" || systemctl kill --signal=SIGKILL "$unit" || true; }

# follow ADDRESS: this node is the replica of the master there, from now on.
follow() {
  write "replicaof $1 6379"
  systemctl is-active --quiet "$unit" || { start; return; }
  case "$(live REPLICAOF "$1" 6379)" in
    OK*) ;;
    *) systemctl restart "$unit" ;;
  esac
}

start() { systemctl start "$unit"; }

# restart: only if the record would let it start again.
restart() {
  node /usr/local/lib/harbor-ha/agent.cjs gate redis || { echo "not restarted: it would not come back" >&2; exit 1; }
  systemctl restart "$unit"
  rm -f "/var/lib/harbor-ha/restart-needed/$unit"
}

# check: logs in as Harbor does, where Redis is a server of yours.
check() {
  host="" port="" user=""
  # shellcheck disable=SC1091 # rendered
  . /etc/harbor-ha/redis.route
  answer=$({ printf 'AUTH %s\n' "${user:+$user }$(cat /etc/harbor-ha/redis.password)"; printf 'PING\nINFO memory\n'; } |
    timeout 8 redis-cli -h "$host" -p "$port" 2>&1) || true
  case "$answer" in
    *PONG*) ;;
    *) echo "Redis answered: $(echo "$answer" | tr -d '\r' | head -n 1)" >&2; exit 1 ;;
  esac
  policy=$(echo "$answer" | tr -d '\r' | sed -n 's/^maxmemory_policy://p')
  [ "${policy:-noeviction}" = noeviction ] || {
    echo "its maxmemory-policy is $policy, which loses jobs and sessions when memory is full: set it to noeviction" >&2
    exit 1
  }
}

verb=${1:-}
[ $# -eq 0 ] || shift
case "$verb" in
  check | role | promote | hand_over | stop | follow | start | restart) "$verb" "$@" ;;
  *) echo "usage: redis.sh check | role [MASTER] | promote TOKEN | hand_over TOKEN ADDRESS | stop TOKEN | follow ADDRESS | start | restart" >&2; exit 1 ;;
esac
