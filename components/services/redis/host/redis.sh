#!/bin/sh
# Redis' operations on one host. Called by `harbor-ha` under the host's lock; every verb may be run again.
set -eu
role=/var/lib/redis/role.conf
unit=redis-server.service

# role [MASTER_ADDRESS]: what this node is from its next start on; without an address the master.
role() {
  temporary="$role.new"
  if [ $# -eq 0 ]; then echo "# master" > "$temporary"; else echo "replicaof $1 6379" > "$temporary"; fi
  chown redis:redis "$temporary"
  chmod 640 "$temporary"
  sync "$temporary"
  mv "$temporary" "$role"
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
  role | start | restart) "$verb" "$@" ;;
  *) echo "usage: redis.sh role [MASTER] | start | restart" >&2; exit 1 ;;
esac
