import { distributions, systems } from "../../components/model/system.ts";
import type { Topology } from "../../components/model/topology.ts";
import type { PreflightFacts } from "./facts.ts";

/** One reason why a host cannot become a node, or a risk that its owner should know. */
export interface HostProblem {
  id: string;
  node: string;
  sentence: string;
  remedy: string;
}

/** What a host must have at least. Harbor itself asks for 4 GB of memory; a machine sold as such has a little less. */
const least = { memoryMb: 3_500, diskMb: { "/": 5_000, "/var/lib/docker": 5_000, "/var/lib/postgresql": 2_000 } };
/** Tokens and VRRP bear less; databases and logs of two nodes that tell different times mislead people. */
const clockSeconds = 5;

type Check = (facts: PreflightFacts, topology: Topology) => { sentence: string; remedy: string } | undefined;

/** Everything that is wrong with a host is said at once. A host that is ours already is not new: its own ports and disks are not held against it. */
const checks: Record<string, Check> = {
  "host.system": ({ system }, topology) => {
    const wanted = topology.system.replace("-", " ");
    if (system === wanted) return undefined;
    const known = systems.map((name) => name.replace("-", " ")).includes(system);
    return {
      sentence: `runs ${system || "an unknown system"}, not ${wanted}`,
      remedy: known ? `set hosts.system to ${system.replace(" ", "-")}` : `install ${wanted}`,
    };
  },
  "host.architecture": ({ architecture }) =>
    ["x86_64", "aarch64"].includes(architecture)
      ? undefined
      : { sentence: `is a ${architecture} machine`, remedy: "use x86_64 or aarch64: Harbor has no images for others" },
  "host.systemd": ({ systemd }) =>
    systemd ? undefined : { sentence: "does not run systemd", remedy: "use a machine or container that boots systemd" },
  "host.root": ({ root }) =>
    root
      ? undefined
      : { sentence: "gives this user no root", remedy: "log in as root, or allow sudo without a password" },
  "host.other-stack": ({ ours }, { stack }) =>
    ours === undefined || ours === stack
      ? undefined
      : {
          sentence: `is a node of the stack ${ours} already`,
          remedy: "use another machine, or uninstall that stack there",
        },
  "host.memory": ({ memoryMb }) =>
    memoryMb >= least.memoryMb
      ? undefined
      : { sentence: `has ${memoryMb} MB of memory`, remedy: "give it 4 GB or more" },
  "host.disk": ({ diskMb, ours }) => {
    if (ours) return undefined;
    const short = Object.entries(least.diskMb).filter(([directory, need]) => (diskMb[directory] ?? 0) < need);
    if (short.length === 0) return undefined;
    const found = short.map(([directory, need]) => `${diskMb[directory] ?? 0} MB in ${directory} (needs ${need})`);
    return { sentence: `has only ${found.join(", ")} free`, remedy: "free some space or enlarge the disk" };
  },
  "host.ports": ({ ports, ours }) => {
    const taken = Object.entries(ports).map(([port, program]) => `${port} by ${program}`);
    return ours || taken.length === 0
      ? undefined
      : { sentence: `has ports in use: ${taken.join(", ")}`, remedy: "stop and disable what uses them" };
  },
  "host.clock": ({ clockAheadSeconds }) =>
    Math.abs(clockAheadSeconds) <= clockSeconds
      ? undefined
      : {
          sentence: `has a clock that is ${Math.abs(clockAheadSeconds).toFixed(0)} s ${clockAheadSeconds > 0 ? "ahead of" : "behind"} this machine's`,
          remedy: "set it once (timedatectl); chrony keeps it from then on",
        },
  "host.peer": ({ peerReachable }) =>
    peerReachable
      ? undefined
      : {
          sentence: "cannot reach the other node over SSH's port",
          remedy: "let the nodes reach each other: routes, firewall",
        },
  "host.mount": ({ mounted }, { storage }) =>
    mounted || storage.kind !== "mounted"
      ? undefined
      : { sentence: "has no shared storage mounted", remedy: "mount it, and enter it in /etc/fstab" },
  "host.names": ({ unknownNames }) =>
    unknownNames.length === 0
      ? undefined
      : { sentence: `cannot resolve ${unknownNames.join(", ")}`, remedy: "mend its DNS, or give an address instead" },
  "host.packages": ({ missingPackages, packageLists }) =>
    !packageLists || missingPackages.length === 0
      ? undefined
      : {
          sentence: `finds no package ${missingPackages.join(", ")}`,
          remedy: "run apt-get update there, and check its package sources",
        },
  "host.docker": ({ installed, ours }, { system }) => {
    const wanted = distributions[system].docker;
    const other = ["docker-ce", "docker.io", "podman-docker"].filter(
      (name) => installed.includes(name) && !wanted.includes(name),
    );
    return ours || other.length === 0
      ? undefined
      : {
          sentence: `has ${other.join(" and ")} installed`,
          remedy: `remove it: ${wanted[0]} is used, and both want the same files`,
        };
  },
  "host.policy": ({ foreignPolicy }) =>
    foreignPolicy
      ? {
          sentence: "has a /usr/sbin/policy-rc.d of somebody else",
          remedy: "remove it: the toolkit's own keeps upgrades from restarting what serves",
        }
      : undefined,
  "host.record": ({ record, recordMoved, ours }, topology) => {
    const wanted = JSON.stringify(topology.record);
    return !ours || record === undefined || record === "null" || record === wanted || recordMoved === wanted
      ? undefined
      : {
          sentence: "keeps the cluster record in another place than the configuration says now",
          remedy: "run harbor-ha record move first, then this again",
        };
  },
  "host.postgres": ({ foreignClusters }) =>
    foreignClusters.length === 0
      ? undefined
      : {
          sentence: `holds PostgreSQL clusters of somebody else: ${foreignClusters.join(", ")}`,
          remedy: "use another machine, or move them away (pg_dropcluster removes one with its data)",
        },
};

/** The ids of all checks. */
export const checkIds = Object.keys(checks);

/** What keeps a host from becoming a node. Pure. */
export function judgeHost(node: string, facts: PreflightFacts, topology: Topology): HostProblem[] {
  return Object.entries(checks).flatMap(([id, check]) => {
    const problem = check(facts, topology);
    return problem ? [{ id, node, sentence: `${node} ${problem.sentence}`, remedy: problem.remedy }] : [];
  });
}

/** What ssh's own failure means, for a host that could not be asked at all. */
export function judgeSilence(node: string, stderr: string): HostProblem {
  const last = stderr.trim().split("\n").at(-1) ?? "";
  const say = (id: string, sentence: string, remedy: string) => ({ id, node, sentence: `${node} ${sentence}`, remedy });
  if (/host key|identification has changed/i.test(stderr))
    return say(
      "host.key",
      "shows another host key than the one that is pinned",
      "find out why before you go on; then pin the new key",
    );
  if (/permission denied/i.test(stderr))
    return say(
      "host.login",
      `refuses the login (${last})`,
      "check the user and the key, or load the key into your SSH agent",
    );
  if (/could not resolve/i.test(stderr))
    return say("host.name", `has a name that cannot be resolved (${last})`, "use its address, or mend the name");
  return say(
    "host.unreachable",
    `cannot be reached over SSH (${last || "no answer"})`,
    `switch it on; check address, port and firewall. To go on without it for now: pulumi config set --path harbor-ha:nodes.${node}.absent true`,
  );
}
