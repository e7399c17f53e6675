import { isIP } from "node:net";
import { type Bundle, makeBundle } from "../../model/bundle.ts";
import type { Node } from "../../model/node.ts";
import { hostPaths } from "../../model/paths.ts";
import { ports } from "../../model/ports.ts";
import { type Topology, virtualAddressOf } from "../../model/topology.ts";
import { alwaysUp, dropIn } from "../unit.ts";

export const haproxyPackages = ["haproxy"];
export const haproxyUnit = "haproxy.service";

const redisCaFile = "/etc/haproxy/redis-ca.crt";

/**
 * HAProxy on each node: the database and Redis routes follow the role endpoints or lead to servers of yours, the endpoint
 * spreads clients over both Harbors, unless a load balancer does. The same file on both nodes. `redisCa`: of a Redis of yours.
 */
export function renderHaproxy(topology: Topology, redisCa?: string): Bundle {
  const { database, redis } = topology;
  const endpoint = virtualAddressOf(topology);
  const sections = [
    common,
    ...(database ? [] : [postgresRoute(topology)]),
    redis ? externalRedisRoute(topology, redis) : redisRoute(topology),
    ...(endpoint ? [endpointRoute(topology, endpoint)] : []),
  ];
  return makeBundle("haproxy", {
    packages: haproxyPackages,
    files: {
      // Two descriptors a connection; the distribution's unit leaves systemd's 1024.
      [dropIn(haproxyUnit)]: alwaysUp("LimitNOFILE=16384"),
      "/etc/haproxy/haproxy.cfg": {
        mode: "0644",
        onChange: { reload: haproxyUnit },
        content: sections.join("\n"),
      },
      ...(redisCa ? { [redisCaFile]: { mode: "0644", onChange: { reload: haproxyUnit }, content: redisCa } } : {}),
    },
    units: [haproxyUnit],
  });
}

const common = `global
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
`;

const servers = ({ nodes }: Topology, port: number) =>
  nodes.map((node: Node) => `    server ${node.name} ${node.address}:${port} check port ${ports.roles}\n`).join("");

const postgresRoute = (topology: Topology) => `# PostgreSQL: whichever node answers /primary.
listen postgres
    bind 127.0.0.1:${ports.postgresRoute}
    option httpchk GET /primary
    default-server inter 1s fastinter 500ms downinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
${servers(topology, ports.postgres)}`;

const redisRoute = (topology: Topology) => `# Redis: whichever node answers /redis.
listen redis
    bind ${topology.serviceAddress}:${ports.redisRoute}
    option httpchk GET /redis
    default-server inter 1s fastinter 500ms downinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
${servers(topology, ports.redis)}`;

/** A provider moves its Redis by the name's address: it is looked up again and again. */
function externalRedisRoute({ serviceAddress }: Topology, { host, port, tls }: NonNullable<Topology["redis"]>): string {
  const named = isIP(host) === 0;
  const resolvers = `resolvers system
    parse-resolv-conf
    hold valid 5s

`;
  const options = [
    "check inter 2s fastinter 500ms downinter 1s fall 2 rise 1 on-marked-down shutdown-sessions",
    ...(named ? ["resolvers system init-addr last,libc,none"] : []),
    ...(tls
      ? [
          `ssl verify required ca-file ${redisCaFile} verifyhost ${host}${named ? ` sni str(${host}) check-sni ${host}` : ""}`,
        ]
      : []),
  ];
  return `${named ? resolvers : ""}# Redis: a server of yours.
listen redis
    bind ${serviceAddress}:${ports.redisRoute}
    server yours ${host}:${port} ${options.join(" ")}
`;
}

const endpointRoute = (
  topology: Topology,
  address: string,
) => `# Clients: TLS goes through to Harbor's own nginx; one client stays with one node.
listen harbor
    bind ${address}:${ports.endpoint}
    balance source
    hash-type consistent
    option httpchk GET /endpoint
    default-server inter 1s fastinter 500ms downinter 500ms fall 2 rise 2
${servers(topology, ports.harborHttps)}`;
