#!/bin/sh
# A tiny Ceph with its S3 gateway on this host: one monitor, one storage daemon on a sparse file, one user.
# Arguments: ADDRESS PORT
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
address=$1 port=$2
home=/var/lib/tiny-ceph
conf=$home/ceph.conf

if ! command -v radosgw >/dev/null; then
  apt-get -q -y update >/dev/null
  apt-get -q -y --no-install-recommends install ceph-mon ceph-osd ceph-common radosgw >/dev/null 2>&1
fi

mkdir -p "$home/mon" "$home/osd" "$home/rgw" "$home/run" "$home/log"
cat > "$conf" <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon_initial_members = a
mon_host = [v2:127.0.0.1:16789/0]
ms_bind_msgr1 = false
keyring = $home/keyring
run_dir = $home/run
admin_socket = $home/run/\$cluster-\$name.\$pid.asok
log_file = $home/log/\$name.log
pid_file = $home/run/\$name.pid
crash_dir = $home/run
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
auth_allow_insecure_global_id_reclaim = false
[mon]
mon_data = $home/mon
mon_data_avail_warn = 2
mon_data_avail_crit = 1
[osd]
osd_data = $home/osd
osd_objectstore = bluestore
bluestore_block_size = 10737418240
bluestore_block_create = true
osd_memory_target = 939524096
# Debian's default is relative.
osd_class_dir = $(find /usr/lib -type d -name rados-classes)
[client.rgw]
rgw_data = $home/rgw
rgw_frontends = beast endpoint=$address:$port
rgw_enable_usage_log = false
CONF
ceph="ceph -c $conf --connect-timeout 30"

ceph-authtool -C "$home/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
ceph-authtool "$home/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
ceph-authtool "$home/keyring" --gen-key -n client.rgw --cap mon 'allow rwx' --cap osd 'allow rwx'
monmaptool --create --clobber --fsid "$(sed -n 's/^fsid = //p' "$conf")" --addv a '[v2:127.0.0.1:16789/0]' "$home/monmap" >/dev/null
ceph-mon --mkfs -i a --monmap "$home/monmap" --keyring "$home/keyring" -c "$conf"
ceph-mon -i a -c "$conf"

uuid=$(cat /proc/sys/kernel/random/uuid)
secret=$(ceph-authtool --gen-print-key)
id=$(echo "{\"cephx_secret\": \"$secret\"}" | $ceph osd new "$uuid" -i -)
ceph-authtool --create-keyring "$home/osd/keyring" --name "osd.$id" --add-key "$secret" >/dev/null
ceph-osd -i "$id" -c "$conf" --keyring "$home/osd/keyring" --mkfs --osd-uuid "$uuid" >/dev/null 2>&1
ceph-osd -i "$id" -c "$conf" --keyring "$home/osd/keyring" >/dev/null 2>&1

radosgw-admin -c "$conf" user create --uid=harbor-ha --display-name=harbor-ha \
  --access-key=TESTACCESSKEY --secret-key=secret-key-of-the-test >/dev/null 2>&1
radosgw -c "$conf" -n client.rgw --keyring "$home/keyring"
