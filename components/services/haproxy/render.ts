import { type Bundle, makeBundle } from "../../model/bundle.ts";
import type { Node } from "../../model/node.ts";
import { hostPaths } from "../../model/paths.ts";
import { ports } from "../../model/ports.ts";
import { type Topology, virtualAddressOf } from "../../model/topology.ts";
import { alwaysUp, dropIn } from "../unit.ts";

export const haproxyPackages = ["haproxy"];
export const haproxyUnit = "haproxy.service";

/**
 * HAProxy on each node: the database and Redis routes follow the role endpoints, the endpoint spreads clients over both
 * Harbors, unless a load balancer does. The same file on both nodes.
 */
export function renderHaproxy(topology: Topology): Bundle {
  const endpoint = virtualAddressOf(topology);
  const servers = (port: number) =>
    topology.nodes
      .map((node: Node) => `    server ${node.name} ${node.address}:${port} check port ${ports.roles}\n`)
      .join("");
  return makeBundle("haproxy", {
    packages: haproxyPackages,
    files: {
      // Two descriptors a connection; the distribution's unit leaves systemd's 1024.
      [dropIn(haproxyUnit)]: alwaysUp("LimitNOFILE=16384"),
      "/etc/haproxy/haproxy.cfg": {
        mode: "0644",
        onChange: { reload: haproxyUnit },
        content: `global
    log /dev/log local0 notice
    user haproxy
    group haproxy
    maxconn 4000
    stats socket ${hostPaths.haproxySocket} mode 600 level admin

defaults
    mode tcp
    log global
    option tcplog
    option dontlognull
    timeout connect 3s
    timeout client 1h
    timeout server 1h
    timeout check 2s
    option clitcpka
    option srvtcpka
    # A connection attempt that is held moves to the new primary at its next try.
    option redispatch 1
    retries 5

# PostgreSQL: whichever node answers /primary.
listen postgres
    bind 127.0.0.1:${ports.postgresRoute}
    option httpchk GET /primary
    default-server inter 1s fastinter 500ms downinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
${servers(ports.postgres)}
# Redis: whichever node answers /redis.
listen redis
    bind ${topology.serviceAddress}:${ports.redisRoute}
    option httpchk GET /redis
    default-server inter 1s fastinter 500ms downinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
${servers(ports.redis)}
${
  endpoint === undefined
    ? ""
    : `# Clients: TLS goes through to Harbor's own nginx; one client stays with one node.
listen harbor
    bind ${endpoint}:${ports.endpoint}
    balance source
    hash-type consistent
    option httpchk GET /endpoint
    default-server inter 1s fastinter 500ms downinter 500ms fall 2 rise 2
${servers(ports.harborHttps)}`
}`,
      },
    },
    units: [haproxyUnit],
  });
}
