#!/bin/sh
# Makes a host ready for apply: the distribution's Node.js and the toolkit's programs (on stdin: base64 of gzipped JSON, name to text).
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
umask 022
programs=/usr/local/lib/harbor-ha

if ! command -v node >/dev/null || ! command -v flock >/dev/null; then
  # An interrupted dpkg run of ours is finished first.
  dpkg --configure -a
  apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install nodejs util-linux >/dev/null 2>&1 || {
    apt-get -q -y update
    apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install nodejs util-linux
  } >&2
fi

# Where the distribution's PostgreSQL and Compose are too old, their makers' package sources come with `apply`; the keys here.
# Docker's is fetched, and must be the one it has published since 2017.
docker_key=/etc/apt/keyrings/harbor-ha-docker.asc
docker_fingerprint=9DC858229FC7DD38854AE2D88D81803C0EBFCD88
# shellcheck disable=SC1091 # the host's
system=$(. /etc/os-release && echo "$ID-${VERSION_ID:-}")
case "$system" in
  debian-12 | ubuntu-24.04)
    if [ ! -e "$docker_key" ]; then
      keys="ca-certificates curl gpg postgresql-common"
      # shellcheck disable=SC2086 # words
      apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install $keys >/dev/null 2>&1 || {
        apt-get -q -y update
        apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install $keys
      } >&2
      curl -fsS -m 60 -o /run/harbor-ha-docker.asc "https://download.docker.com/linux/${system%%-*}/gpg"
      shown=$(gpg --show-keys --with-colons /run/harbor-ha-docker.asc)
      if [ "$(echo "$shown" | grep -c '^pub:')" != 1 ] || ! echo "$shown" | grep -q "^fpr:.*:$docker_fingerprint:"; then
        echo "the key from download.docker.com is not Docker's: nothing was installed" >&2
        exit 1
      fi
      mkdir -p /etc/apt/keyrings
      install -m 0644 /run/harbor-ha-docker.asc "$docker_key"
    fi
    ;;
esac

mkdir -p /etc/harbor-ha /var/lib/harbor-ha
mkdir -p "$programs"
# Each program is replaced as a whole; a running one keeps its old file.
PROGRAMS="$programs" node -e '
const fs = require("fs"), directory = process.env.PROGRAMS;
const programs = JSON.parse(require("zlib").gunzipSync(Buffer.from(fs.readFileSync(0, "latin1"), "base64")));
for (const [name, text] of Object.entries(programs)) {
  fs.writeFileSync(`${directory}/${name}.new`, text, { mode: 0o644, flush: true });
  fs.renameSync(`${directory}/${name}.new`, `${directory}/${name}`);
}'
systemctl try-restart harbor-ha-agent.service 2>/dev/null || true
echo "$(node --version) ready"
