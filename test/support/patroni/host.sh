#!/bin/sh
# What Patroni and its friends need on one host, from Debian's packages and by Debian's template of Patroni's settings.
#   etcd NAME ADDRESS CLUSTER | redis ADDRESS | release | patroni NAME ADDRESS ETCD_HOSTS MAX_CONNECTIONS | route
set -eu
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

packages() {
  apt-get -q -y update >/dev/null
  apt-get -q -y --no-install-recommends install "$@" >/dev/null 2>&1
}

# A member of the cluster that remembers who leads. What the package may have started is another cluster's.
etcd() {
  packages etcd-server etcd-client
  systemctl stop etcd
  rm -rf /var/lib/etcd/default
  cat > /etc/default/etcd <<CONF
ETCD_NAME=$1
ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380
ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=http://$2:2380
ETCD_ADVERTISE_CLIENT_URLS=http://$2:2379
ETCD_INITIAL_CLUSTER=$3
CONF
  systemctl enable --quiet etcd
  # It counts as started when the others are there.
  systemctl start --no-block etcd
}

# A Redis that does not fail with a node; its password on stdin.
redis() {
  packages redis-server
  umask 077
  printf 'bind %s\nrequirepass %s\n' "$1" "$(cat)" > /etc/redis/own.conf
  chown redis /etc/redis/own.conf
  echo 'include /etc/redis/own.conf' >> /etc/redis/redis.conf
  systemctl restart redis-server
}

# Takes the data services from the agent, which goes on answering for Harbor, and stops them.
release() {
  node -e '
    const fs = require("fs"), file = "/etc/harbor-ha/agent.json";
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file)), services: [] }));
  '
  systemctl restart harbor-ha-agent
  systemctl mask --quiet --now redis-server postgresql@17-main
  # The role that our operations had written; Patroni writes its own.
  : > /var/lib/postgresql/17/main/postgresql.auto.conf
}

# Takes over the data directory and the settings beside it.
patroni() {
  # Its client of etcd is in a package that it does not depend on.
  packages patroni python3-etcd
  # It also asks its own server as the peer would.
  echo 'hostssl replication,postgres replication samehost scram-sha-256' >> /etc/postgresql/17/main/pg_hba.conf
  password=$(cut -d: -f5 /var/lib/postgresql/.pgpass)
  umask 077
  cat > /etc/patroni/config.yml <<CONF
scope: harbor
name: $1
etcd3: { hosts: "$3" }
restapi: { listen: "0.0.0.0:8009", connect_address: "$2:8009" }
bootstrap:
  dcs:
    ttl: 30
    loop_wait: 10
    retry_timeout: 10
    maximum_lag_on_failover: 1048576
    check_timeline: true
    postgresql:
      use_pg_rewind: true
      remove_data_directory_on_rewind_failure: true
      remove_data_directory_on_diverged_timelines: true
      use_slots: true
      parameters: { max_connections: $4, wal_log_hints: "on", wal_keep_size: 1GB }
postgresql:
  listen: "*:5432"
  connect_address: $2:5432
  use_unix_socket: true
  data_dir: /var/lib/postgresql/17/main
  bin_dir: /usr/lib/postgresql/17/bin
  config_dir: /etc/postgresql/17/main
  pgpass: /var/lib/postgresql/17-main.pgpass
  authentication:
    replication: &peer
      username: replication
      password: $password
      sslmode: verify-ca
      sslrootcert: /etc/postgresql/17/main/tls/ca.crt
    superuser: { username: postgres, password: }
    rewind: *peer
  parameters: { unix_socket_directories: /var/run/postgresql }
CONF
  chown postgres /etc/patroni/config.yml
  systemctl enable --quiet --now patroni
}

# The way of PgBouncer to the database and of Harbor to Redis, on stdin.
route() {
  cat > /etc/haproxy/haproxy.cfg
  systemctl reload haproxy
}

verb=$1
shift
"$verb" "$@"
