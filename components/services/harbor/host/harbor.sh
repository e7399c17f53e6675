#!/bin/sh
# Harbor's operations on one host, by its own installer and compose file. Every verb may be run again.
set -eu
export LC_ALL=C.UTF-8
home=/opt/harbor
state=/var/lib/harbor-ha/harbor
unit=harbor-ha-harbor.service
guard=/usr/local/lib/harbor-ha/storage-guard.sh
services="log registry registryctl core portal jobservice proxy"

die() { echo "harbor: $*" >&2; exit 1; }
compose() { cd "$home" && docker compose "$@"; }

# receive SHA256 [URL]: takes the installer file from stdin, or fetches it.
receive() {
  mkdir -p "$state"
  if [ $# -eq 2 ]; then
    curl --fail --silent --show-error --location --output "$state/installer.new" "$2"
  else
    cat > "$state/installer.new"
  fi
  echo "$1  $state/installer.new" | sha256sum -c --quiet - || { rm -f "$state/installer.new"; die "the installer file has another sha256 than $1"; }
  sync "$state/installer.new"
  mv "$state/installer.new" "$state/installer-$1.tgz"
}

# install SHA256: unpacks and runs Harbor's own installer, with the harbor.yml and override that lie there already.
install() {
  "$guard" check
  file="$state/installer-$1.tgz"
  [ -s "$file" ] || die "the installer file is not on this host: run harbor-ha roll"
  tar -xzf "$file" -C "$home" --strip-components=1 --no-same-owner
  # A failing prepare leaves its copy of harbor.yml, passwords included, behind.
  trap 'rm -rf "$home/input"' EXIT
  cd "$home"
  ./install.sh > "$state/install.log" 2>&1 || { tail -n 20 "$state/install.log" >&2; die "Harbor's installer failed; the whole log is $state/install.log"; }
  chmod 600 "$state/install.log"
  rm -f /var/lib/harbor-ha/restart-needed/$unit
  systemctl enable --quiet $unit
  systemctl start $unit
  echo "$1" > "$state/installed.new"
  sync "$state/installed.new"
  mv "$state/installed.new" "$state/installed"
}

# restart: prepare with the files as they are now, then down and up; a plain `up` would keep an old registry.
restart() {
  "$guard" check
  trap 'rm -rf "$home/input"' EXIT
  cd "$home"
  ./prepare > "$state/prepare.log" 2>&1 || { tail -n 20 "$state/prepare.log" >&2; die "Harbor's prepare failed; the whole log is $state/prepare.log. Harbor goes on with its former settings"; }
  chmod 600 "$state/prepare.log"
  rm -f /var/lib/harbor-ha/restart-needed/$unit
  systemctl enable --quiet $unit
  systemctl restart $unit
}

running() { compose ps --services --status running; }

# up: until every service runs. A container that met its log or its peer too early stays down otherwise.
up() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    compose up -d --quiet-pull >/dev/null 2>&1 || true
    missing=""
    now=$(running)
    for service in $services; do
      echo "$now" | grep -qx "$service" || missing="$missing $service"
    done
    [ -n "$missing" ] || return 0
    # Waits for Docker's next event of a container, at most a few seconds.
    timeout 3 docker events --filter type=container >/dev/null 2>&1 || true
  done
  compose up -d
  die "these services do not run:$missing"
}

down() { compose down --timeout 20; }

# schedule: Harbor's own cleaning, once and for all: what somebody has scheduled, now or later, stays.
schedule() {
  for job in gc purgeaudit; do
    wish="/etc/harbor-ha/harbor/$job.json"
    [ -e "$wish" ] || continue
    api GET "system/$job/schedule" | grep -q '"cron"' || api POST "system/$job/schedule" "$wish"
  done
  mkdir -p "$state"
  : > "$state/scheduled"
}

# api METHOD PATH [BODYFILE]: as admin, with the first password; over stdin, so that nobody sees it among the arguments.
api() {
  password=$(sed -n 's/^harbor_admin_password: "\{0,1\}\([A-Za-z0-9_-]*\)"\{0,1\}$/\1/p' "$home/harbor.yml")
  answer=$(printf 'user = "admin:%s"\n' "$password" | curl --config - --silent --show-error --insecure --max-time 30 \
    --request "$1" --header 'Content-Type: application/json' ${3:+--data "@$3"} \
    --write-out '\n%{http_code}' "https://127.0.0.1:8443/api/v2.0/$2")
  case "${answer##*
}" in
    2*) printf '%s\n' "$answer" ;;
    401)
      echo "harbor: the password of admin is not the first one any more: schedule garbage collection and audit purge in Harbor" >&2
      echo '"cron"'
      ;;
    *) die "$1 $2 answered: $answer" ;;
  esac
}

verb=${1:-}
[ $# -eq 0 ] || shift
case "$verb" in
  receive | install | restart | schedule | up | down) "$verb" "$@" ;;
  *) die "usage: harbor.sh receive SHA256 [URL] | install SHA256 | restart | schedule | up | down" ;;
esac
