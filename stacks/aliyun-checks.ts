import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { nodeAddresses, switchCidrs } from "../components/model/aliyun.ts";
import type { Problem } from "../components/model/problems.ts";
import { contains, overlap } from "./checks.ts";

/** The options that the rules of the target `aliyun` look at; what is wrong by itself is absent. */
interface Options {
  target?: "lab" | "hosts" | "aliyun";
  hostname?: string;
  docker?: { addressPool: string };
  storage?: { path: string; nfs?: object; s3?: object };
  record?: object;
  redis?: { external?: object };
  postgres?: { external?: object };
  aliyun?: {
    region: string;
    zones: [string, string];
    image: string;
    system: string;
    publicAddresses: boolean;
    privateKeyFile?: string;
    jump?: object;
    redis?: object;
    postgres?: object;
    network: {
      cidr: string;
      existing?: { vpc: string; switches: [string, string]; cidrs: [string, string]; addresses: [string, string] };
    };
  };
}

/** What is wrong with a hostname for clients of a balancer in Alibaba Cloud, if anything. */
export const inCloudProblem = (hostname: string): string | undefined =>
  isIP(hostname) === 0 ? undefined : "must be a name: the balancer is reached by a CNAME of your domain";

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
  const unfit = hostname && inCloudProblem(hostname);
  if (unfit) add("hostname", unfit, "use a name of your domain");
  if (storage?.nfs || storage?.s3)
    add("storage", "the share is made by the stack", "remove storage.nfs and storage.s3, or set target to hosts");
  if (options.record)
    add("record", "the record's bucket is made by the stack", "remove record, or set target to hosts");
  for (const server of ["redis", "postgres"] as const)
    if (aliyun?.[server] && options[server]?.external)
      add(`aliyun.${server}`, `${server}.external names a server of yours`, "keep one of the two");
  if (!aliyun) return problems;
  const { region, zones, privateKeyFile } = aliyun;
  if (privateKeyFile && !existsSync(privateKeyFile))
    add(
      "aliyun.privateKeyFile",
      `there is no file ${privateKeyFile}`,
      "name the private key, or leave it out for your SSH agent's keys",
    );
  if (aliyun.jump && aliyun.publicAddresses)
    add(
      "aliyun.jump",
      "the nodes have addresses of their own, which SSH uses",
      "remove it, or set aliyun.publicAddresses to false",
    );
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
  if (overlap(one, two))
    add("aliyun.network.existing.cidrs.1", "overlaps the network of node1", "each zone has a switch of its own");
  const addresses = nodeAddresses(aliyun);
  for (const [index, cidr] of [one, two].entries())
    if (!contains(cidr, addresses[index as 0 | 1]))
      add(
        `aliyun.network.existing.addresses.${index}`,
        `${addresses[index as 0 | 1]} is not in ${cidr}`,
        "use a free address of the switch",
      );
  const inPool = docker && [one, two].find((cidr) => overlap(cidr, docker.addressPool));
  if (inPool)
    add(
      "docker.addressPool",
      `${docker.addressPool} overlaps the switch ${inPool}`,
      "choose another private /16 network",
    );
  return problems;
}
