#!/bin/bash
# STAND-IN for Harbor's install.sh: check, load the images, prepare, stop what runs, start.
set -e
cd "$(dirname "$(readlink -f "$0")")"
compose="docker compose" # check_compose settles it
# shellcheck source=common.sh disable=SC1091
. ./common.sh
args=()
for argument in "$@"; do
  case $argument in
    --with-trivy) args+=("$argument"); say "the stand-in has no Trivy: the setting is passed on, no scanner runs" ;;
    *) die "unknown argument $argument (known: --with-trivy)" ;;
  esac
done
say "step 0: docker"; check_docker
say "step 1: compose"; check_compose
if ls harbor*.tar.gz >/dev/null 2>&1; then
  say "step 2: loading images"
  docker load -i ./harbor*.tar.gz
fi
say "step 3: preparing"; ./prepare "${args[@]}"
if [ -n "$($compose ps -q 2>/dev/null)" ]; then
  say "stopping the running instance"
  $compose down -v
fi
say "step 4: starting"; $compose up -d
say "installed and started"
