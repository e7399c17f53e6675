#!/bin/bash
# Checks shared by install.sh and prepare of the STAND-IN Harbor installer.

say() { printf '[stand-in Harbor] %s\n' "$*"; }
die() { printf '[stand-in Harbor] %s\n' "$*" >&2; exit 1; }

check_docker() {
  docker --version >/dev/null 2>&1 || die "docker is not installed: install Docker 20.10.10 or newer and run this again"
  say "docker: $(docker --version)"
}

check_compose() {
  if docker compose version >/dev/null 2>&1; then
    compose="docker compose"
  elif docker-compose --version >/dev/null 2>&1; then
    compose="docker-compose"
  else
    die "docker compose is not installed: install the compose plugin and run this again"
  fi
  say "compose: $($compose version | head -n 1)"
}
