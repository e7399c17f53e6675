#!/bin/sh
# A PostgreSQL and a Redis of somebody else on this host, both with TLS alone, their certificates by one CA; and a balancer.
# Arguments: ADDRESS PASSWORD NODE_ADDRESS... Prints the CA.
set -eu
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
address=$1 password=$2
shift 2
home=/var/lib/test-servers

apt-get -q -y update >/dev/null
apt-get -q -y --no-install-recommends install postgresql redis-server openssl haproxy >/dev/null 2>&1

mkdir -p "$home"
cd "$home"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=test-ca -keyout ca.key -out ca.crt 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$address" -keyout server.key -out server.csr 2>/dev/null
printf 'subjectAltName=IP:%s\n' "$address" > san
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile san -out server.crt 2>/dev/null
for user in postgres redis; do
  install -o $user -g $user -m 0600 server.key $user.key
done

conf=/etc/postgresql/17/main
cat > $conf/conf.d/test.conf <<CONF
listen_addresses = '*'
ssl = on
ssl_cert_file = '$home/server.crt'
ssl_key_file = '$home/postgres.key'
CONF
echo 'hostssl all all 0.0.0.0/0 scram-sha-256' >> $conf/pg_hba.conf
systemctl restart postgresql@17-main
runuser -u postgres -- psql -Xq <<SQL
CREATE ROLE harbor_app LOGIN PASSWORD '$password';
CREATE DATABASE harbor_images OWNER harbor_app TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
SQL

cat >> /etc/redis/redis.conf <<CONF
bind *
port 0
tls-port 6379
tls-cert-file $home/server.crt
tls-key-file $home/redis.key
tls-ca-cert-file $home/ca.crt
tls-auth-clients no
requirepass $password
CONF
systemctl restart redis-server

{
  printf 'defaults\n  mode tcp\n  timeout connect 3s\n  timeout client 60s\n  timeout server 60s\n'
  printf 'listen harbor\n  bind :443\n  balance source\n  option httpchk GET /endpoint\n'
  for node in "$@"; do
    echo "  server $node $node:8443 check port 8008 inter 500ms fall 2 rise 2"
  done
} > /etc/haproxy/haproxy.cfg
systemctl restart haproxy
cat ca.crt
