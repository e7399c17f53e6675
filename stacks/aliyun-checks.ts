import { isIP } from "node:net";
import { nodeAddresses, switchCidrs } from "../components/model/aliyun.ts";
import type { Problem } from "../components/model/problems.ts";

/** The options that the rules of the target `aliyun` look at; what is wrong by itself is absent. */
interface Options {
  target?: "lab" | "hosts" | "aliyun";
  hostname?: string;
  docker?: { addressPool: string };
  storage?: { path: string; nfs?: object; s3?: object };
  aliyun?: {
    region: string;
    zones: [string, string];
    image: string;
    system: string;
    publicAddresses: boolean;
    network: {
      cidr: string;
      existing?: { vpc: string; switches: [string, string]; cidrs: [string, string]; addresses: [string, string] };
    };
  };
}

/** What is wrong with the pair in Alibaba Cloud as a whole. */
export function aliyunProblems(options: Options): Problem[] {
  const { target, hostname, aliyun, docker, storage } = options;
  const problems: Problem[] = [];
  const add = (path: string, reason: string, remedy: string) => problems.push({ path, reason, remedy });
  if (target !== "aliyun") {
    if (target && aliyun)
      add(
        "aliyun",
        `belongs to the target \`aliyun\`, but target is \`${target}\``,
        "set target to aliyun, or remove it",
      );
    return problems;
  }
  // Absent, not left out, is what is wrong by itself.
  if ("aliyun" in options && !aliyun)
    add(
      "aliyun",
      "required for the target `aliyun`, but not set",
      "set aliyun.region, aliyun.zones, …: see docs/config.md",
    );
  if (hostname && isIP(hostname) !== 0)
    add("hostname", "must be a name: the balancer is reached by a CNAME of your domain", "use a name of your domain");
  if (storage?.nfs || storage?.s3)
    add("storage", "the share is made by the stack", "remove storage.nfs and storage.s3, or set target to hosts");
  if (!aliyun) return problems;
  const { region, zones } = aliyun;
  for (const [index, zone] of zones.entries())
    if (!zone.startsWith(`${region}-`))
      add(`aliyun.zones.${index}`, `${zone} is not in ${region}`, "use a zone of the region");
  if (zones[0] === zones[1])
    add(
      "aliyun.zones.1",
      "is the zone of node1 too: with it both nodes would be gone",
      "use another zone of the region",
    );
  const [one, two] = switchCidrs(aliyun);
  if (one === two)
    add("aliyun.network.existing.cidrs.1", "is the network of node1 too", "each zone has a switch of its own");
  const addresses = nodeAddresses(aliyun);
  for (const [index, cidr] of [one, two].entries())
    if (!contains(cidr, addresses[index as 0 | 1]))
      add(
        `aliyun.network.existing.addresses.${index}`,
        `${addresses[index as 0 | 1]} is not in ${cidr}`,
        "use a free address of the switch",
      );
  const inPool = docker && [one, two].find((cidr) => halfOf(cidr) === halfOf(docker.addressPool));
  if (inPool)
    add(
      "docker.addressPool",
      `${docker.addressPool} contains the switch ${inPool}`,
      "choose another private /16 network",
    );
  return problems;
}

function contains(cidr: string, address: string): boolean {
  const [network = "", prefix] = cidr.split("/");
  const bits = (text: string) => text.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const size = 2 ** (32 - Number(prefix));
  return Math.floor(bits(network) / size) === Math.floor(bits(address) / size);
}

const halfOf = (cidr: string) => cidr.split(".").slice(0, 2).join(".");
