import { makeBundle } from "../../model/bundle.ts";
import type { Topology } from "../../model/topology.ts";
import { renderMounts } from "../storage/render.ts";

/** What every node needs before the services: names, kernel settings, clock, packages that must not start by themselves. */
export function renderSystem(topology: Topology, packages: string[]) {
  const mounts = renderMounts(topology);
  return makeBundle("system", {
    packages: [...packages, ...mounts.packages].sort(),
    files: {
      ...mounts.files,
      "/etc/sysctl.d/60-harbor-ha.conf": {
        mode: "0644",
        onChange: { reload: "sysctl /etc/sysctl.d/60-harbor-ha.conf" },
        content: `# HAProxy binds the virtual address on the node that does not hold it, PgBouncer an address of Docker's.
net.ipv4.ip_nonlocal_bind = 1
# A peer that vanished without a word is given up after seconds, not a quarter of an hour.
net.ipv4.tcp_retries2 = 6
net.ipv4.tcp_keepalive_time = 30
net.ipv4.tcp_keepalive_intvl = 5
net.ipv4.tcp_keepalive_probes = 3
`,
      },
      // Debian would make and start a cluster of its own while it installs PostgreSQL.
      "/etc/postgresql-common/createcluster.conf": { mode: "0644", content: "create_main_cluster = false\n" },
      "/etc/systemd/journald.conf.d/60-harbor-ha.conf": {
        mode: "0644",
        content: "[Journal]\nSystemMaxUse=500M\n",
      },
    },
    units: ["chrony.service", ...mounts.units],
  });
}
