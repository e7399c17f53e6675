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

live() { REDISCLI_AUTH=$(cat /etc/harbor-ha/redis.password) redis-cli -s /run/redis/redis-server.sock "$@"; }

# promote: the replica here becomes the master, now and at its next start. One that is down is started by the agent, once the
# record is settled.
promote() {
  write ""
  if systemctl is-active --quiet "$unit"; then [ "$(live REPLICAOF NO ONE)" = OK ]; fi
}

# hand_over ADDRESS: the replica there becomes the master with everything this one has, and this one its replica. Where that
# does not work at once, it stops, which gives the replica what there is too.
hand_over() {
  if [ "$(live FAILOVER TO "$1" 6379 TIMEOUT 2000)" = OK ]; then
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      case "$(live INFO replication)" in
        *role:slave*) write "replicaof $1 6379"; return ;;
      esac
      sleep 0.1
    done
  fi
  stop
}

# stop: gives its replica what it has before it ends.
stop() { systemctl stop "$unit"; }

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
  role | promote | hand_over | stop | start | restart) "$verb" "$@" ;;
  *) echo "usage: redis.sh role [MASTER] | promote | hand_over ADDRESS | stop | start | restart" >&2; exit 1 ;;
esac
