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

# One command to the running server. The password goes over stdin: neither arguments nor environments may show it.
live() {
  { printf 'AUTH %s\n' "$(cat /etc/harbor-ha/redis.password)"; printf '%s\n' "$*"; } |
    timeout 5 redis-cli -s /run/redis/redis-server.sock 2>&1 | tail -n +2
}

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

# hand_over TOKEN ADDRESS: the replica there becomes the master with everything this one has, and this one its replica. Where
# that does not work at once, it stops, which gives the replica what there is too.
hand_over() {
  own "$1"
  if [ "$(live FAILOVER TO "$2" 6379 TIMEOUT 2000)" = OK ]; then
    for _ in $(seq 20); do
      case "$(live INFO replication)" in
        *role:slave*) write "replicaof $2 6379"; return ;;
      esac
      sleep 0.1
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

verb=${1:-}
[ $# -eq 0 ] || shift
case "$verb" in
  role | promote | hand_over | stop | follow | start | restart) "$verb" "$@" ;;
  *) echo "usage: redis.sh role [MASTER] | promote TOKEN | hand_over TOKEN ADDRESS | stop TOKEN | follow ADDRESS | start | restart" >&2; exit 1 ;;
esac
