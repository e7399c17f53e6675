/** Where a lab keeps its things on the machine, and the names of its kernel objects. All of it follows from the lab's
 * directory alone, so that `down` finds everything even when no file of the lab is left. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { labDirectory } from "../../components/model/lab.ts";
import { cacheDirectory } from "../paths.ts";

export { cacheDirectory, labDirectory };

export const labRoot = () => dirname(labDirectory("any"));

/** Locks and the machine's former kernel settings: gone with a reboot, as what they describe. */
export const stateDirectory = "/run/harbor-ha-lab";

/** What `down` is removing. */
export const goingDirectory = (name: string) => `${labRoot()}/.${name}.going`;
export const hostDirectory = (name: string, node: string) => `${labDirectory(name)}/hosts/${node}`;
export const diskImage = (name: string, node: string) => `${labDirectory(name)}/disks/${node}-postgresql.img`;
export const sharedDirectory = (name: string) => `${labDirectory(name)}/shared`;
export const keysDirectory = (name: string) => `${labDirectory(name)}/keys`;
export const knownHostsFile = (name: string) => `${labDirectory(name)}/known_hosts`;
export const specFile = (name: string) => `${labDirectory(name)}/spec.json`;
export const consoleLog = (name: string, node: string) => `${hostDirectory(name, node)}/console.log`;
/** Exists while a host was switched off by `powerOff`. */
export const poweredOffMark = (name: string, node: string) => `${hostDirectory(name, node)}/powered-off`;

export const instanceLock = (name: string) => `${stateDirectory}/${bridgeName(name)}.lock`;
export const nodeLock = (name: string, node: string) => `${stateDirectory}/${machineName(name, node)}.lock`;

/** Interface names have at most 15 characters. */
export const bridgeName = (name: string) => `hha-${shortHash(labDirectory(name))}`;
/** The name systemd-nspawn knows a host by; 12 characters, so that its link is exactly `vb-<machine>`. */
export const machineName = (name: string, node: string) => `hha${shortHash(hostDirectory(name, node))}`;
/** The machine's end of a host's network cable. */
export const linkName = (name: string, node: string) => `vb-${machineName(name, node)}`;

/** A bridge without a fixed address takes that of a port and changes it when hosts come and go. */
export function bridgeMac(name: string): string {
  return ["02", ...(shortHash(bridgeName(name)).match(/../g) ?? []), "01"].join(":");
}

export const labsControlGroup = () => `${unifiedHierarchy()}/harbor-ha-lab`;
export const labControlGroup = (name: string) => `${labsControlGroup()}/${bridgeName(name)}`;
export const hostControlGroup = (name: string, node: string) => `${labControlGroup(name)}/${node}`;

function unifiedHierarchy(): string {
  return existsSync("/sys/fs/cgroup/cgroup.controllers") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
