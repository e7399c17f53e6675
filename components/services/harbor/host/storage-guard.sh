#!/bin/sh
# The shared storage of images: mounted, and the very same on both nodes. Harbor does not start without `check`.
set -eu
path='' identity=''
. /etc/harbor-ha/storage.conf
id="$path/.harbor-ha/storage-id"
known=/var/lib/harbor-ha/storage-id

die() { echo "storage: $*" >&2; exit 1; }
# A hung share must not hang the caller with it.
within() { timeout -k 1 10 "$@"; }

mounted() { within mountpoint -q "$path" || die "$path is not mounted (or does not answer): mount the shared storage, then run harbor-ha roll"; }

# Images in a bucket: nothing is mounted, and its name is its identity.
if [ -n "$identity" ]; then
  case "${1:-}" in
    claim)
      [ ! -s "$known" ] || [ "$(cat "$known")" = "$identity" ] || die "this node knows another storage ($(cat "$known")) than $identity: move the images first, then remove $known"
      echo "$identity" > "$known.new"
      sync "$known.new"
      mv "$known.new" "$known"
      ;;
    check)
      [ -s "$known" ] || die "this node has not claimed a storage yet: run harbor-ha roll"
      [ "$(cat "$known")" = "$identity" ] || die "this node knows another storage ($(cat "$known")) than $identity"
      ;;
  esac
  exit 0
fi

# claim: the storage's identity, made once by whoever is first, remembered on this node; the folders Harbor uses.
claim() {
  mounted
  within mkdir -p "$path/.harbor-ha"
  if ! within test -s "$id"; then
    temporary="$path/.harbor-ha/$(cat /proc/sys/kernel/random/uuid)"
    within sh -c 'basename "$1" > "$1" && sync "$1"' - "$temporary"
    within ln "$temporary" "$id" 2>/dev/null || true
    within rm -f "$temporary"
  fi
  found=$(within cat "$id")
  [ ! -s "$known" ] || [ "$(cat "$known")" = "$found" ] || die "$path is not the storage this node knows (found $found, known $(cat "$known")): mount the right one"
  for folder in registry job_logs; do
    within mkdir -p "$path/$folder"
    [ "$(within stat -c %u:%g "$path/$folder")" = 10000:10000 ] || within chown 10000:10000 "$path/$folder"
  done
  echo "$found" > "$known.new"
  sync "$known.new"
  mv "$known.new" "$known"
  echo "$found"
}

# check: mounted, and the one this node knows.
check() {
  mounted
  [ -s "$known" ] || die "this node has not claimed a storage yet: run harbor-ha roll"
  found=$(within cat "$id") || die "$path does not carry the pair's identity ($id is missing): it is empty or another share"
  [ "$found" = "$(cat "$known")" ] || die "$path is not the storage this node knows (found $found, known $(cat "$known")): mount the right one"
  within sh -c 'test -d "$1/registry"' - "$path" || die "$path/registry is missing"
}

# write NONCE, read NONCE: what one node writes the other must read.
write() { mounted; within sh -c 'echo "$2" > "$1/.harbor-ha/proof" && sync "$1/.harbor-ha/proof"' - "$path" "$1"; }
read_back() { mounted; [ "$(within cat "$path/.harbor-ha/proof")" = "$1" ] || die "$path is not the same storage on both nodes: what the other node wrote is not here"; }

case "${1:-}" in
  claim | check) "$1" ;;
  write) write "$2" ;;
  read) read_back "$2" ;;
  *) die "usage: storage-guard.sh claim | check | write NONCE | read NONCE" ;;
esac
