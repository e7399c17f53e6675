/** systemd units that more than their own service speaks of. */
export const postgresUnit = "postgresql@17-main.service";
export const redisUnit = "redis-server.service";
/** Made by us, started by `roll`, then at every boot: stock Harbor does not come back after a reboot. */
export const harborUnit = "harbor-ha-harbor.service";
export const dockerUnit = "docker.service";

/** What a node says about in its facts, and `status` expects to be up where it belongs. */
export const observedUnits = [
  "postgresql@17-main",
  "redis-server",
  "pgbouncer",
  "haproxy",
  "keepalived",
  "chrony",
  "docker",
  "harbor-ha-agent",
  "harbor-ha-harbor",
];

/** What role.conf of the Redis master says. */
export const redisMaster = "# master";
