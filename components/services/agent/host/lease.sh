#!/bin/sh
# lease.sh NAME: the agent of this host believes in the lease while this runs and its caller is alive; says `held` once it has
# begun. `drain`: clients go to the other node. `maintenance`: the agent starts nothing and tells nobody.
set -eu
lease=/run/harbor-ha/$1
mkdir -p /run/harbor-ha
trap 'rm -f "$lease"; exit 0' EXIT INT TERM HUP PIPE
# The agent believes a fresh file only, so that a killed lease ends by itself. The caller sends a dot every few seconds: a
# machine that vanished closes nothing.
: > "$lease"
echo held
while [ "$(timeout 15 head -c 1)" = . ]; do
  : > "$lease"
done
