import { HostLines } from "../cluster/host-lines.ts";

/** What `host.sh` said about one host. */
export interface PreflightFacts {
  root: boolean;
  system: string;
  architecture: string;
  systemd: boolean;
  memoryMb: number;
  /** Free space in MB, by directory. */
  diskMb: Record<string, number>;
  /** Seconds by which its clock is ahead of the operator's. */
  clockAheadSeconds: number;
  /** Program by port in use. */
  ports: Record<number, string>;
  peerReachable: boolean;
  mounted: boolean;
  /** Names of other machines that it cannot resolve. */
  unknownNames: string[];
  /** Packages that its package sources do not have. */
  missingPackages: string[];
  /** Whether it has package lists at all. */
  packageLists: boolean;
  installed: string[];
  /** PostgreSQL clusters that are not ours. */
  foreignClusters: string[];
  /** Whether it has a policy-rc.d of its own. */
  foreignPolicy: boolean;
  /** Where its record lies now, and where it was copied to; JSON. */
  record?: string;
  recordMoved?: string;
  /** Stack whose node it is already. */
  ours?: string;
}

/** Reads the host's lines. `asked` and `answered` are the operator's clock in seconds. @returns nothing if the answer was cut off. */
export function parseFacts(text: string, asked: number, answered: number): PreflightFacts | undefined {
  const lines = HostLines.read(text);
  if (!lines) return undefined;
  const all = (key: string) => lines.words(key);
  const one = (key: string) => lines.one(key);
  return {
    root: one("root") === "yes",
    system: one("system"),
    architecture: one("architecture"),
    systemd: one("systemd") === "yes",
    memoryMb: Number(one("memory")),
    diskMb: Object.fromEntries(all("disk").map(([directory = "", free]) => [directory, Number(free)])),
    clockAheadSeconds: lines.clockAhead(asked, answered),
    ports: Object.fromEntries(all("port").map(([port, program = ""]) => [Number(port), program])),
    peerReachable: one("peer") === "yes",
    mounted: one("mounted") === "yes",
    unknownNames: all("no-name").flat(),
    missingPackages: all("no-package").flat(),
    packageLists: one("lists") === "yes",
    installed: all("installed").flat(),
    foreignClusters: all("cluster").flat(),
    foreignPolicy: one("policy") === "foreign",
    record: one("record") || undefined,
    recordMoved: one("moved") || undefined,
    ours: one("ours") || undefined,
  };
}
