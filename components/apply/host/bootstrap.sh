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
