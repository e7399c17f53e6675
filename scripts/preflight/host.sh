#!/bin/sh
# Says what a host is, for preflight: one fact a line, key first. Reads only. Piped into `sh -s` over SSH, before anything
# of ours is on the host. Arguments: STORAGE_PATH PEER_HOST PEER_PORT NAMES PACKAGES PORT...
set -u
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
storage=$1 peer=$2 peer_port=$3 names=$4 packages=$5
shift 5

sudo=
if [ "$(id -u)" -ne 0 ]; then sudo="sudo -n"; fi
if $sudo true 2>/dev/null; then echo "root yes"; else echo "root no"; fi

# shellcheck disable=SC1091 # the host's
(. /etc/os-release 2>/dev/null && echo "system ${ID:-unknown} ${VERSION_ID:-unknown}")
echo "architecture $(uname -m)"
[ "$(ps -o comm= -p 1 2>/dev/null)" = systemd ] && echo "systemd yes" || echo "systemd no"
echo "memory $(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)"
echo "clock $(date +%s.%N)"

for directory in / /var/lib/docker /var/lib/postgresql; do
  at=$directory
  while [ ! -e "$at" ]; do at=$(dirname "$at"); done
  echo "disk $directory $(df -Pm "$at" | awk 'NR == 2 { print $4 }')"
done

for port in "$@"; do
  $sudo ss -Hltnp "sport = :$port" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)".*/\1/p' | sort -u | while read -r program; do
    echo "port $port $program"
  done
done

if command -v bash >/dev/null && timeout 5 bash -c "exec 3<>/dev/tcp/$peer/$peer_port" 2>/dev/null; then
  echo "peer yes"
else
  echo "peer no"
fi
if timeout 5 mountpoint -q "$storage" 2>/dev/null; then echo "mounted yes"; else echo "mounted no"; fi

for name in $names; do
  timeout 10 getent ahosts "$name" >/dev/null || echo "no-name $name"
done

for package in $packages; do
  candidate=$(apt-cache policy "$package" 2>/dev/null | awk '/Candidate:/ { print $2 }')
  [ "${candidate:-(none)}" != "(none)" ] || echo "no-package $package"
done
if [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' 2>/dev/null | head -1)" ]; then echo "lists yes"; else echo "lists no"; fi

for package in docker-ce docker.io podman-docker; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed' && echo "installed $package"
done
for directory in /etc/postgresql/*/*; do
  [ -e "$directory/postgresql.conf" ] || continue
  grep -q 'Made by harbor-ha' "$directory/postgresql.conf" || echo "cluster ${directory#/etc/postgresql/}"
done
if [ -e /usr/sbin/policy-rc.d ] && ! grep -q harbor-ha /usr/sbin/policy-rc.d; then echo "policy foreign"; fi
if [ -e /etc/harbor-ha/inventory.json ]; then
  echo "record $(node -p 'JSON.stringify(JSON.parse(fs.readFileSync("/etc/harbor-ha/inventory.json")).topology.record ?? null)' 2>/dev/null)"
  if [ -e /var/lib/harbor-ha/record-moved.json ]; then echo "moved $(cat /var/lib/harbor-ha/record-moved.json)"; fi
  echo "ours $(sed -n 's/.*"stack": "\([^"]*\)".*/\1/p' /etc/harbor-ha/inventory.json | head -1)"
fi
echo "end"
