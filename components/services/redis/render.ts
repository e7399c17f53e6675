import { type Bundle, makeBundle } from "../../model/bundle.ts";
import type { Node } from "../../model/node.ts";
import { hostPaths } from "../../model/paths.ts";
import { ports } from "../../model/ports.ts";
import type { Topology } from "../../model/topology.ts";
import { redisUnit } from "../../model/units.ts";
import { gateBefore } from "../agent/render.ts";
import { dropIn, startedByRecord } from "../unit.ts";

export const redisPackages = ["redis-server"];

/** Redis on one node. `replicaof` is role state: operations write it to role.conf, apply never does. */
export function renderRedis(
  topology: Topology,
  node: Node,
  options: { maxMemoryMb: number },
  password: string,
  script: string,
): Bundle {
  const programs = {
    [`${hostPaths.etc}/redis.password`]: { mode: "0600", content: password },
    [`${hostPaths.programs}/redis.sh`]: { mode: "0755", content: script },
  };
  // Of a server of yours only a client, to try the way to it.
  if (topology.redis) {
    const { user = "" } = topology.redis;
    const route = `host=${topology.serviceAddress}\nport=${ports.redisRoute}\nuser=${user}\n`;
    return makeBundle("redis", {
      packages: ["redis-tools"],
      files: { ...programs, [`${hostPaths.etc}/redis.route`]: { mode: "0644", content: route } },
    });
  }
  const own = { owner: "redis:redis" };
  return makeBundle("redis", {
    packages: redisPackages,
    directories: { "/etc/redis": { mode: "0750", ...own }, "/var/lib/redis": { mode: "0750", ...own } },
    files: {
      "/etc/redis/redis.conf": {
        mode: "0640",
        ...own,
        onChange: { restart: redisUnit },
        content: `bind 127.0.0.1 ${node.address}
port ${ports.redis}
unixsocket ${hostPaths.redisSocket}
unixsocketperm 770
protected-mode yes
supervised systemd
daemonize no
dir /var/lib/redis
requirepass ${password}
masterauth ${password}
# A job queue and sessions: nothing may be evicted, and a crash loses a second at most.
maxmemory ${options.maxMemoryMb}mb
maxmemory-policy noeviction
appendonly yes
appendfsync everysec
save ""
repl-ping-replica-period 1
repl-timeout 10
repl-backlog-size 32mb
tcp-keepalive 10
loglevel notice
logfile ""
include /var/lib/redis/role.conf
`,
      },
      ...programs,
      [dropIn(redisUnit)]: startedByRecord(
        gateBefore("redis"),
        "ExecStart=",
        "ExecStart=/usr/bin/redis-server /etc/redis/redis.conf",
      ),
    },
    managedUnits: [redisUnit],
  });
}
