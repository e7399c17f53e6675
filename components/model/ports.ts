/** Every port in one place. Ports on `serviceAddress` are reached by Harbor's containers on the same node only. */
export const ports = {
  /** HAProxy on the virtual address: what clients use. */
  endpoint: 443,
  /** Harbor's nginx on each node, behind the endpoint. */
  harborHttps: 8443,
  harborHttp: 8480,
  postgres: 5432,
  redis: 6379,
  /** PgBouncer on the service address: Harbor's database. */
  pgbouncer: 6432,
  /** HAProxy on loopback: whichever node is the PostgreSQL primary. */
  postgresRoute: 6433,
  /** HAProxy on the service address: whichever node is the Redis master. */
  redisRoute: 6380,
  /** Role endpoints `/primary`, `/redis`, `/endpoint` of each node. */
  roles: 8008,
} as const;
