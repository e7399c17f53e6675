#!/bin/sh
# Runs one lab host until it is switched off. Started detached by host.ts:
#   start-host.sh enter <control group> <host directory> <base image> <disk image> <shared directory> <systemd-nspawn argument>...
# All mounts are made in a mount namespace of this process and all processes stay in one control group. So killing the
# group leaves no mount and no loop device, whatever state the host was in.
set -eu

stage=$1 group=$2 host=$3 base=$4 disk=$5 shared=$6
here=$(readlink -f "$0")
shift

case $stage in
enter)
  # Where control groups are still divided, leave the caller's ones too: what ends the caller must not end the host.
  for tasks in /sys/fs/cgroup/*/tasks; do
    [ ! -e "$tasks" ] || echo $$ >"$tasks" 2>/dev/null || true
  done
  mkdir -p "$group/keeper"
  echo $$ >"$group/keeper/cgroup.procs"
  # A host that runs holds its lock, so a second start beside it ends here.
  exec flock --nonblock --close --conflict-exit-code 75 "$host/lock" \
    unshare --mount --propagation slave -- sh "$here" boot "$@"
  ;;
boot)
  shift 5
  mount -t overlay overlay -o "lowerdir=$base,upperdir=$host/upper,workdir=$host/work" "$host/root"
  mount -o loop,discard "$disk" "$host/postgresql"
  # A loop device may have been slowed down for somebody else.
  throttle=/sys/fs/cgroup/blkio/blkio.throttle.write_iops_device
  [ ! -w $throttle ] || echo "$(mountpoint -d "$host/postgresql") 0" > $throttle
  # As with NFS another process answers for the share, and may hang or die. Nothing is cached, for there is another client.
  mkdir -p "$group/share"
  # shellcheck disable=SC2016 # expanded by the inner shell, which becomes bindfs
  sh -c 'echo $$ >"$0/cgroup.procs"; exec bindfs -f --multithreaded -o attr_timeout=0,entry_timeout=0,negative_timeout=0,allow_other "$@"' \
    "$group/share" "$shared" "$host/shared" &
  until mountpoint -q "$host/shared"; do
    kill -0 $! || exit 1
    sleep 0.05
  done
  # systemd-nspawn ends with 133 when the host wants to reboot.
  status=133
  while [ "$status" -eq 133 ]; do
    find "$group/host" -depth -type d -exec rmdir {} + 2>/dev/null || true
    mkdir -p "$group/host"
    status=0
    # shellcheck disable=SC2016 # expanded by the inner shell, which becomes systemd-nspawn
    sh -c 'echo $$ >"$0/cgroup.procs"; exec systemd-nspawn "$@"' "$group/host" "$@" || status=$?
  done
  exit "$status"
  ;;
esac
