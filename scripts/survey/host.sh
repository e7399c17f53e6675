#!/bin/bash
# Says what a node of any Harbor pair is, for status and doctor: one fact a line, key first. Needs nothing on the host but
# bash and Docker; secrets leave it as fingerprints only. Changes nothing: the database gets one empty message, to see
# whether it takes writes. Piped into `bash -s` as root over SSH.
set -u
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

fingerprint() { sha256sum | cut -c 1-12; }
of_file() { if [ -r "$2" ]; then echo "fingerprint $1 $(fingerprint < "$2")"; else echo "fingerprint $1 missing"; fi; }

echo "clock $(date +%s.%N)"
echo "synchronized $(timedatectl show -p NTPSynchronized --value 2>/dev/null)"
for unit in $(systemctl list-units --state=failed --plain --no-legend 2>/dev/null | awk '{ print $1 }'); do echo "failed $unit"; done

core=$(timeout 20 docker ps -aq --filter label=com.docker.compose.service=core 2>/dev/null | head -1) || { echo "docker no"; echo end; exit; }
[ -n "$core" ] || { echo "harbor no"; echo end; exit; }
project=$(docker inspect -f '{{index .Config.Labels "com.docker.compose.project"}}' "$core")
home=$(docker inspect -f '{{index .Config.Labels "com.docker.compose.project.working_dir"}}' "$core")
echo "home $home"
containers=$(docker ps -aq --filter "label=com.docker.compose.project=$project")
# shellcheck disable=SC2086 # identifiers
docker inspect -f 'container {{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.LogConfig.Type}} {{.Config.Image}}' $containers
one() { docker ps -aq --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1" | head -1; }
environment() { docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$1"; }
value() { sed -n "s/^$1=//p" <<< "$2" | tail -1; }
mounted() { docker inspect -f "{{range .Mounts}}{{if eq .Destination \"$2\"}}{{.Source}}{{end}}{{end}}" "$1"; }

settings=$(environment "$core")
for name in EXT_ENDPOINT POSTGRESQL_HOST POSTGRESQL_PORT POSTGRESQL_DATABASE POSTGRESQL_MAX_OPEN_CONNS POSTGRESQL_CONN_MAX_LIFETIME WITH_TRIVY \
  REGISTRY_STORAGE_PROVIDER_NAME CACHE_ENABLED QUOTA_UPDATE_PROVIDER; do
  echo "setting $name $(value $name "$settings")"
done
for name in CSRF_KEY CORE_SECRET JOBSERVICE_SECRET ROBOT_SCANNER_NAME_PREFIX; do
  echo "fingerprint $name $(value $name "$settings" | fingerprint)"
done
of_file secretkey "$(mounted "$core" /etc/core/key)"
echo "secretkey-bytes $(wc -c < "$(mounted "$core" /etc/core/key)" 2>/dev/null)"
of_file private_key.pem "$(mounted "$core" /etc/core/private_key.pem)"
jobservice=$(one jobservice)
registry=$(one registry)
proxy=$(one proxy)

# The indexes of Redis's databases and its address, without the password.
place() { sed -E 's#^([a-z+]+://)([^@]*@)?([^?]*).*#\1\3#' <<< "$1"; }
redis_url=$(value _REDIS_URL_CORE "$settings")
jobs=$(mounted "$jobservice" /etc/jobservice/config.yml)
echo "setting redis $(place "$redis_url")"
echo "setting redis-of-registry $(place "$(value _REDIS_URL_REG "$settings")")"
echo "setting redis-of-jobs $(place "$(sed -n 's/^ *redis_url: *"\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' "$jobs" 2>/dev/null | head -1)")"
echo "loggers $(sed -n '/^job_loggers:/,/^[a-z]/s/^ *- *name: *"\{0,1\}\([A-Z_]*\)"\{0,1\}$/\1/p' "$jobs" 2>/dev/null | paste -sd, -)"

# Where images and logs of jobs lie. A hanging share must not keep us.
where() {
  [ -n "$2" ] || return 0
  echo "mount $1 $(timeout 5 findmnt -nrT "$2" -o TARGET,FSTYPE,SOURCE,OPTIONS 2>/dev/null | tail -1)"
}
images=$(mounted "$registry" /storage)
where images "$images"
where logs "$(mounted "$jobservice" /var/log/jobs)"
where data "$(mounted "$core" /data)"
configuration=$(mounted "$registry" /etc/registry)/config.yml
echo "driver $(sed -n '/^storage:/,/^[a-z]/s/^  \(filesystem\|s3\|oss\|swift\|gcs\|azure\):.*$/\1/p' "$configuration" 2>/dev/null | head -1)"
for name in bucket container region regionendpoint endpoint rootdirectory; do
  text=$(sed -n "/^storage:/,/^[a-z]/s/^    $name: *\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "$configuration" 2>/dev/null | head -1)
  [ -z "$text" ] || echo "bucket $name $text"
done
if [ -n "$images" ]; then
  if names=$(timeout 5 ls "$images" 2>/dev/null && timeout 5 ls "$images/docker/registry/v2/repositories" 2>/dev/null); then
    echo "fingerprint images $(fingerprint <<< "$names")"
  elif ! timeout 5 stat "$images" >/dev/null 2>&1; then
    echo "images-hang yes"
  fi
fi

# Docker starts containers with a restart policy at boot, whether the share is there or not.
grep -lsE "docker.compose|$home" /etc/systemd/system/*.service /usr/local/lib/systemd/system/*.service 2>/dev/null | while read -r file; do
  unit=${file##*/}
  systemctl is-enabled --quiet "$unit" 2>/dev/null && echo "boots $unit"
done
target=$(timeout 5 findmnt -nrT "${images:-/}" -o TARGET 2>/dev/null | tail -1)
if [ "${target:-/}" != / ]; then
  mount=$(systemd-escape --path --suffix=mount "$target")
  systemctl show -p Requires,BindsTo docker.service | grep -qF "$mount" && echo "waits-for-images yes"
fi

ask() { curl -sk -m "$2" -o "$3" -w '%{http_code}' "$1" 2>/dev/null; }
port=$(docker inspect -f '{{with index .NetworkSettings.Ports "8443/tcp"}}{{(index . 0).HostPort}}{{end}}' "$proxy" 2>/dev/null)
url=https://127.0.0.1:$port
if [ -z "$port" ]; then
  url=http://127.0.0.1:$(docker inspect -f '{{with index .NetworkSettings.Ports "8080/tcp"}}{{(index . 0).HostPort}}{{end}}' "$proxy" 2>/dev/null)
fi
echo "ping $(ask "$url/api/v2.0/ping" 15 /dev/null)"
echo "health $(ask "$url/api/v2.0/health" 15 - | sed 's/[0-9]\{3\}$//' | tr -d '\n')"
certificate=$(mounted "$proxy" /etc/cert)/server.crt
if end=$(openssl x509 -noout -enddate -in "$certificate" 2>/dev/null); then echo "certificate $(date -d "${end#*=}" +%s)"; fi

for directory in / "$(docker info -f '{{.DockerRootDir}}' 2>/dev/null)" "$(mounted "$core" /data)" /var/lib/postgresql; do
  [ -d "$directory" ] && timeout 5 df -P "$directory" | awk 'NR == 2 { sub("%", "", $5); print "disk", $6, $5 }'
done | sort -u

# As Harbor would: its own server, login and database. The password goes by the environment.
psql=$(command -v psql)
host=$(value POSTGRESQL_HOST "$settings")
if [ -n "$psql" ] && [ -z "$(one postgresql)" ]; then
  answer=$(PGHOST=$host PGPORT=$(value POSTGRESQL_PORT "$settings") PGUSER=$(value POSTGRESQL_USERNAME "$settings") \
    PGDATABASE=$(value POSTGRESQL_DATABASE "$settings") PGPASSWORD=$(value POSTGRESQL_PASSWORD "$settings") \
    PGSSLMODE=$(value POSTGRESQL_SSLMODE "$settings") PGCONNECT_TIMEOUT=5 timeout 10 "$psql" -XqAtF ' ' -f - 2>&1 << 'SQL'
SELECT 'database', (SELECT system_identifier FROM pg_control_system()), current_database(), pg_is_in_recovery(), current_setting('transaction_read_only');
SELECT 'written', pg_logical_emit_message(true, 'harbor-ha', '') IS NOT NULL WHERE NOT pg_is_in_recovery();
SQL
  ) || echo "database-error $(head -1 <<< "${answer:-no answer within 10 s}")"
  grep -E '^(database|written) ' <<< "$answer"
fi
if [ -n "$psql" ] && id postgres >/dev/null 2>&1; then
  timeout 10 runuser -u postgres -- "$psql" -XqAt -f - 2>/dev/null << 'SQL'
WITH here AS (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn)
SELECT 'server ' || json_build_object(
  'role', CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END,
  'receiving', (SELECT count(*) > 0 FROM pg_stat_wal_receiver WHERE status = 'streaming'),
  'keepBytes', (SELECT CASE WHEN setting = '-1' THEN NULL ELSE setting::bigint * 1048576 END FROM pg_settings WHERE name = 'max_slot_wal_keep_size'),
  'standbys', (SELECT coalesce(json_agg(json_build_object('name', application_name, 'state', state, 'syncState', sync_state,
     'lagBytes', coalesce(pg_wal_lsn_diff(here.lsn, flush_lsn), -1)::bigint)), '[]') FROM pg_stat_replication),
  'slots', (SELECT coalesce(json_agg(json_build_object('name', slot_name, 'active', active,
     'keptBytes', coalesce(pg_wal_lsn_diff(here.lsn, restart_lsn), 0)::bigint)), '[]') FROM pg_replication_slots))
FROM here;
SQL
fi

# Harbor's Redis, by its own words; sentinels and TLS are not spoken.
# shellcheck disable=SC2016 # the inner shell's
speak() { timeout 8 bash -c 'exec 3<> "/dev/tcp/$0/$1" && cat >&3 && cat <&3' "$1" "$2" 2>/dev/null | tr -d '\r'; }
decode() { printf '%b' "${1//%/\\x}"; }
if [[ $redis_url =~ ^redis://(([^:@/]*):([^@]*)@)?([^:/]+):([0-9]+) ]] && [ "${BASH_REMATCH[4]}" != redis ]; then
  login=${BASH_REMATCH[2]:+$(decode "${BASH_REMATCH[2]}") }$(decode "${BASH_REMATCH[3]}") host=${BASH_REMATCH[4]} port=${BASH_REMATCH[5]}
  answer=$({ [ -z "$login" ] || printf 'AUTH %s\r\n' "$login"; printf 'INFO\r\nQUIT\r\n'; } | speak "$host" "$port")
  [ -n "$answer" ] || echo "redis-error no answer from $host:$port"
  sed -nE 's/^(run_id|role|maxmemory|used_memory|maxmemory_policy|cluster_enabled|aof_enabled):/redis \1 /p' <<< "$answer"
  sed -n 's/^-/redis-error /p' <<< "$answer" | head -1
fi
echo "end"
