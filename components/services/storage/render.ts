import type { Bundle } from "../../model/bundle.ts";
import type { Topology } from "../../model/topology.ts";

/**
 * The mounts of an NFS share: hard for images, where an error in the middle of a write would be worse than a wait, and a
 * second, soft and uncached one for the record, which is asked with a deadline and must never be answered from a cache.
 */
export function renderMounts({ storage }: Pick<Topology, "storage">): Pick<Bundle, "packages" | "files" | "units"> {
  if (storage.kind !== "nfs") return { packages: [], files: {}, units: [] };
  const { server, export: exported, version, path } = storage;
  const mount = (at: string, options: string) => ({
    name: unitName(at),
    text: `[Unit]
Description=harbor-ha's shared storage
After=network-online.target
Wants=network-online.target

[Mount]
What=${server}:${exported}
Where=${at}
Type=nfs
Options=nfsvers=${version},proto=tcp,noresvport,_netdev,${options}
TimeoutSec=30s

[Install]
WantedBy=remote-fs.target
`,
  });
  const mounts = [
    mount(path, "hard,timeo=600,retrans=2"),
    mount(`${path}-record`, "soft,timeo=20,retrans=1,noac,lookupcache=none,nosharecache"),
  ];
  return {
    packages: ["nfs-common"],
    files: Object.fromEntries(
      mounts.map(({ name, text }) => [`/etc/systemd/system/${name}`, { mode: "0644", content: text }]),
    ),
    units: mounts.map(({ name }) => name),
  };
}

/** systemd's name for the mount unit of a path (systemd-escape). */
const unitName = (path: string) => `${path.slice(1).replaceAll("-", "\\x2d").replaceAll("/", "-")}.mount`;
