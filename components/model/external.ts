import type { Topology } from "./topology.ts";

/** Servers of yours, as the configuration says them. */
export interface ExternalOptions {
  postgres: {
    external?: { host: string; port: number; database: string; user: string; password: string; sslMode: string };
  };
  redis: { external?: { host: string; port: number; user?: string; password: string; caCertificate?: string } };
}

/** What renders need to know of them. */
export function externalServers({ postgres, redis }: ExternalOptions): Pick<Topology, "database" | "redis"> {
  const { external: database } = postgres;
  const { external: cache } = redis;
  return {
    ...(database
      ? {
          database: {
            host: database.host,
            port: database.port,
            name: database.database,
            user: database.user,
            sslMode: database.sslMode,
          },
        }
      : {}),
    ...(cache
      ? {
          redis: {
            host: cache.host,
            port: cache.port,
            ...(cache.user ? { user: cache.user } : {}),
            tls: cache.caCertificate !== undefined,
          },
        }
      : {}),
  };
}
