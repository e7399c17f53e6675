import { existsSync } from "node:fs";
import { isIP } from "node:net";
import type { Problem } from "../components/model/problems.ts";
import { contains } from "./checks.ts";

/** The options that the rules of the target `hosts` look at; what is wrong by itself is absent. */
interface HostsOptions {
  target?: "lab" | "hosts" | "aliyun";
  hostname?: string;
  docker?: { addressPool: string };
  storage?: { path: string; nfs?: object; s3?: { endpoint: string; bucket: string } };
  record?: { s3: { endpoint: string; bucket: string } };
  postgres?: { external?: object };
  redis?: { external?: object };
  hosts?: {
    node1: { address: string; sshHost?: string; sshPort: number; networkInterface?: string };
    node2: { address: string; sshHost?: string; sshPort: number; networkInterface?: string };
    networkInterface?: string;
    privateKeyFile?: string;
    virtualAddress?: string;
    fence?: string | { aliyun: { node1: string; node2: string } };
  };
}

/** What is wrong with an address that a machine holds beside its own, written with its prefix length; if anything. */
export function interfaceProblem(value: string): string | undefined {
  const [address = "", prefix = "", ...rest] = value.split("/");
  if (isIP(address) !== 4 || rest.length > 0 || !/^\d+$/.test(prefix) || Number(prefix) < 8 || Number(prefix) > 32)
    return "must be an IPv4 address with its prefix length, e.g. 10.0.0.10/24";
  return undefined;
}

/** What is wrong with the machines as a pair. */
export function hostsProblems(options: HostsOptions): Problem[] {
  const { target, hostname, hosts, storage, record, docker } = options;
  const problems: Problem[] = [];
  const add = (path: string, reason: string, remedy: string) => problems.push({ path, reason, remedy });
  if (target && target !== "hosts" && hosts)
    add(
      "hosts",
      `belongs to the target \`hosts\`, but target is \`${target}\``,
      "set target to hosts, or remove hosts",
    );
  if (target === "aliyun") return problems;
  if (target === "lab") {
    if (storage && (storage.nfs || storage.s3 || storage.path !== "/mnt/harbor-ha"))
      add(
        "storage",
        "on the lab it is a directory of this machine at /mnt/harbor-ha",
        "remove it, or set target to hosts",
      );
    return problems;
  }
  // Absent, not left out, is what is wrong by itself.
  if (target === "hosts" && "hosts" in options && !hosts)
    add("hosts", "required for the target `hosts`, but not set", "set hosts.node1, hosts.node2, …: see docs/config.md");
  const recorded = !options.postgres?.external || !options.redis?.external;
  if (storage?.s3 && "record" in options && !record && recorded)
    add(
      "record.s3",
      "required, for with images in a bucket there is no shared directory",
      "set record.s3 to a bucket of its own",
    );
  if (storage?.s3 && storage.s3.endpoint === record?.s3.endpoint && storage.s3.bucket === record.s3.bucket)
    add(
      "record.s3.bucket",
      `${record.s3.bucket} is the bucket of the images`,
      "give the record a bucket of its own, without versioning",
    );
  if (!hosts) return problems;
  const { node1, node2, virtualAddress, networkInterface, privateKeyFile, fence } = hosts;
  const virtual = virtualAddress?.split("/")[0];
  if (node1.address === node2.address)
    add("hosts.node2.address", `${node2.address} is the address of node1 too`, "give each machine its own");
  if ((node1.sshHost ?? node1.address) === (node2.sshHost ?? node2.address) && node1.sshPort === node2.sshPort)
    add("hosts.node2.sshHost", "SSH would reach node1 there", "give each machine its own name, address or port");
  for (const [name, { address }] of Object.entries({ node1, node2 }))
    if (virtual === address)
      add("hosts.virtualAddress", `${virtual} is the address of ${name}`, "use a free address of the same network");
  if (virtualAddress && virtual !== node1.address && virtual !== node2.address)
    for (const [name, { address }] of Object.entries({ node1, node2 }))
      if (!contains(virtualAddress, address))
        add(
          "hosts.virtualAddress",
          `${virtualAddress} is not in the network of ${name} (${address})`,
          "use a free address of the machines' own network, or a load balancer",
        );
  if (virtualAddress)
    for (const [name, node] of Object.entries({ node1, node2 }))
      if (!node.networkInterface && !networkInterface)
        add(
          "hosts.networkInterface",
          `needed for the virtual address on ${name}`,
          "set it to the interface that `ip -brief address` shows with the machine's address",
        );
  if (typeof fence === "object" && fence.aliyun.node1 === fence.aliyun.node2)
    add("hosts.fence.aliyun.node2", `${fence.aliyun.node2} is the instance of node1 too`, "give each node its own");
  if (hostname && isIP(hostname) === 4 && virtual && hostname !== virtual)
    add("hostname", `${hostname} is not hosts.virtualAddress`, `use a name, or ${virtual}`);
  if (privateKeyFile && !existsSync(privateKeyFile))
    add(
      "hosts.privateKeyFile",
      "there is no such file on this machine",
      "give the path of the private key, or remove it",
    );
  if (docker)
    for (const [path, address] of Object.entries({
      "hosts.node1.address": node1.address,
      "hosts.node2.address": node2.address,
      ...(virtual ? { "hosts.virtualAddress": virtual } : {}),
    }))
      if (contains(docker.addressPool, address))
        add(path, `${address} lies in docker.addressPool ${docker.addressPool}`, "choose another docker.addressPool");
  return unique(problems);
}

const unique = (problems: Problem[]) =>
  problems.filter(
    ({ path, reason }, index) =>
      problems.findIndex((other) => other.path === path && other.reason === reason) === index,
  );
