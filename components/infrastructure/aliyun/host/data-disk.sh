#!/bin/sh
# data-disk.sh SERIAL DIRECTORY GB: the disk with that serial number, which has that size or is about to, holds the directory, from now
# on and at every boot. Only a blank disk is formatted, only an empty directory is covered. May be run again.
set -eu
export LC_ALL=C
serial=$1 directory=$2 bytes=$(($3 * 1024 * 1024 * 1024))
device=${DEVICES:-/dev/disk/by-id}/virtio-$serial

die() { echo "data disk: $*" >&2; exit 1; }

timeout 120 sh -c "until [ -b '$device' ]; do sleep 1; done" || die "no disk with the serial number $serial: is it attached?"
timeout 120 sh -c "until [ \"\$(blockdev --getsize64 '$device')\" -ge $bytes ]; do sleep 1; done" ||
  die "$device has not grown to $3 GB: look at the disk in the ECS console, then run pulumi up again"
mkdir -p "$directory"
mountpoint -q "$directory" || [ -z "$(ls -A "$directory")" ] || die "$directory holds data already: refusing to cover it"
if ! blkid -p "$device" >/dev/null 2>&1; then
  # Nothing that blkid knows; zeros where a file system would begin say that nothing else is there.
  [ "$(head -c 1048576 "$device" | tr -d '\0' | wc -c)" -eq 0 ] || die "$device is not blank, and holds nothing known: refusing to format it"
  mkfs.ext4 -q -m 1 -L harbor-ha-data "$device"
fi
[ "$(blkid -p -o value -s TYPE "$device")" = ext4 ] || die "$device holds something else than ext4: refusing to touch it"
uuid=$(blkid -p -o value -s UUID "$device")
line="UUID=$uuid $directory ext4 defaults,noatime,x-systemd.device-timeout=2min 0 2"
if mountpoint -q "$directory"; then
  [ "$(findmnt -nro UUID "$directory")" = "$uuid" ] || die "$directory is on another disk already"
else
  mount -o noatime "$device" "$directory"
fi
resize2fs "$device" >/dev/null 2>&1 || die "the file system of $directory cannot grow to the size of its disk: resize2fs $device"
if ! grep -qxF "$line" /etc/fstab; then
  grep -v "[[:space:]]${directory}[[:space:]]" /etc/fstab > /etc/fstab.new || true
  echo "$line" >> /etc/fstab.new
  sync /etc/fstab.new
  mv /etc/fstab.new /etc/fstab
fi
