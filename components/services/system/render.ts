import { makeBundle } from "../../model/bundle.ts";
import { distributions } from "../../model/system.ts";
import type { Topology } from "../../model/topology.ts";
import { renderMounts } from "../storage/render.ts";

/** Units whose end somebody would notice, by the beginning of their names. */
const services = [
  "postgresql",
  "redis-server",
  "pgbouncer",
  "haproxy",
  "keepalived",
  "docker",
  "containerd",
  "harbor-ha-",
];

/** Upgraded by hand or not at all: new versions reach them through `apt-mark unhold`, one node after the other. */
const serving = ["haproxy", "keepalived", "pgbouncer", "postgresql-17", "redis-server"];

/** What every node needs before the services: names, kernel settings, clock, packages that must not start by themselves. */
export function renderSystem(topology: Topology, packages: string[]) {
  const mounts = renderMounts(topology);
  const { containers, sources } = distributions[topology.system];
  return makeBundle("system", {
    packages: [...packages, ...mounts.packages].sort(),
    // What is held and not installed could not be installed later.
    held: [...serving.filter((name) => packages.includes(name)), "redis-tools", ...containers].sort(),
    files: {
      ...mounts.files,
      ...Object.fromEntries(
        Object.entries(sources).map(([name, { url, suite, component, key }]) => [
          `/etc/apt/sources.list.d/harbor-ha-${name}.sources`,
          {
            mode: "0644",
            content: `Types: deb\nURIs: ${url}\nSuites: ${suite}\nComponents: ${component}\nSigned-By: ${key}\n`,
          },
        ]),
      ),
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
      // Packages that are installed, upgraded or installed anew start, stop and restart nothing that serves.
      "/usr/sbin/policy-rc.d": {
        mode: "0755",
        content: `#!/bin/sh
# harbor-ha: what serves is restarted by \`harbor-ha roll\` alone, one node after the other.
case "$1" in
  ${services.map((name) => `${name}*`).join(" | ")}) exit 101 ;;
esac
exit 0
`,
      },
      // The same for machines with needrestart, as Ubuntu's servers are.
      "/etc/needrestart/conf.d/harbor-ha.conf": {
        mode: "0644",
        content: `${services.map((name) => `$nrconf{override_rc}{qr(^${name})} = 0;`).join("\n")}\n`,
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
