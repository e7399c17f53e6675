/** Where things lie on a host. */
export const hostPaths = {
  /** Rendered settings and certificates of the toolkit. */
  etc: "/etc/harbor-ha",
  /** Values behind the `@{label:version}` placeholders, 0600. */
  secrets: "/etc/harbor-ha/secrets.json",
  inventory: "/etc/harbor-ha/inventory.json",
  /** What the agent of this node is told. */
  agent: "/etc/harbor-ha/agent.json",
  /** Programs of the toolkit. */
  programs: "/usr/local/lib/harbor-ha",
  /** Manifests and marks. */
  state: "/var/lib/harbor-ha",
  /** The newest entry of the cluster record that this node has seen. */
  knownEntry: "/var/lib/harbor-ha/known-entry.json",
  /** What people and stacks asked for, one JSON object a line. */
  journal: "/var/lib/harbor-ha/journal.jsonl",
  /** Leases and what else ends with the boot. */
  run: "/run/harbor-ha",
  /** The agent's own door for root on this host: requests to the record, through the reader it has open anyway. */
  agentSocket: "/run/harbor-ha/agent.sock",
  /** Held by apply and by every operation that acts on the host; released when their process ends. */
  lock: "/run/lock/harbor-ha.lock",
  certificates: "/etc/harbor-ha/tls",
  /** The unpacked Harbor installer. */
  harbor: "/opt/harbor",
  /** Harbor's data_volume: local, but for the two folders bound from the shared storage. */
  harborData: "/data",
  haproxySocket: "/run/haproxy/admin.sock",
  postgresSocketDirectory: "/var/run/postgresql",
  redisSocket: "/run/redis/redis-server.sock",
  postgresData: "/var/lib/postgresql/17/main",
} as const;
