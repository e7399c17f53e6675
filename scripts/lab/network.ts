/** A bridge per lab with the machine at .1, and address translation so that the hosts reach the mirrors. */
import { LabError } from "./errors.ts";
import { bridgeMac, bridgeName } from "./paths.ts";
import { run, succeeds } from "./processes.ts";
import { gatewayOf, type LabSpec } from "./spec.ts";

interface Link {
  ifname: string;
  addr_info?: { family: string; local: string; prefixlen: number }[];
}

export async function ensureNetwork(spec: LabSpec): Promise<void> {
  const bridge = bridgeName(spec.name);
  const address = `${gatewayOf(spec)}/24`;
  const links: Link[] = JSON.parse(await run("ip", ["-json", "address", "show"]));
  refuseOverlap(spec, links);
  if (!links.some((link) => link.ifname === bridge)) {
    const settings = ["stp_state", "0", "forward_delay", "0"];
    await run("ip", ["link", "add", "name", bridge, "address", bridgeMac(spec.name), "type", "bridge", ...settings]);
  }
  await run("ip", ["address", "replace", address, "dev", bridge]);
  await run("ip", ["link", "set", bridge, "up"]);
  for (const { table, chain, rule } of firewallRules(spec)) {
    const present = await succeeds("iptables", ["--wait", "--table", table, "--check", chain, ...rule]);
    // First in the chain: a local Docker, for one, drops what it does not know.
    if (!present) await run("iptables", ["--wait", "--table", table, "--insert", chain, "1", ...rule]);
  }
}

/** Rules carry the bridge's name as a comment, by which `down` finds exactly these. */
export function firewallRules(spec: LabSpec): { table: string; chain: string; rule: string[] }[] {
  const bridge = bridgeName(spec.name);
  const comment = ["-m", "comment", "--comment", ruleComment(spec.name)];
  return [
    { table: "filter", chain: "FORWARD", rule: ["-i", bridge, ...comment, "-j", "ACCEPT"] },
    { table: "filter", chain: "FORWARD", rule: ["-o", bridge, ...comment, "-j", "ACCEPT"] },
    {
      table: "nat",
      chain: "POSTROUTING",
      rule: ["-s", spec.subnet, "!", "-d", spec.subnet, ...comment, "-j", "MASQUERADE"],
    },
  ];
}

export async function removeNetwork(name: string): Promise<void> {
  for (const table of ["filter", "nat"]) {
    const rules = taggedRules(await run("iptables-save", ["--table", table]), ruleComment(name));
    for (const rule of rules) await run("iptables", ["--wait", "--table", table, "--delete", ...rule]);
  }
  const bridge = bridgeName(name);
  const members: Link[] = await showLinks(["master", bridge]);
  for (const member of members) await removeLink(member.ifname);
  await removeLink(bridge);
}

/** The rules with this comment, as arguments for `iptables --delete`. */
export function taggedRules(saved: string, comment: string): string[][] {
  return saved
    .split("\n")
    .map((line) => (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', "")))
    .filter(([action, ...rule]) => action === "-A" && rule[rule.indexOf("--comment") + 1] === comment)
    .map(([, ...rule]) => rule);
}

/** Nothing happens when there is no such link. */
export async function removeLink(link: string): Promise<void> {
  if ((await showLinks(["dev", link])).length === 0) return;
  await run("ip", ["link", "delete", "dev", link]).catch(async (error) => {
    // The kernel removes a dead host's link by itself, a moment after its processes.
    if ((await showLinks(["dev", link])).length > 0) throw error;
  });
}

export async function cutLink(link: string): Promise<void> {
  if ((await showLinks(["dev", link])).length > 0) await run("ip", ["link", "set", "dev", link, "down"]);
}

/** For a running host whose cable something else pulled, or whose bridge was made anew. */
export async function attachLink(link: string, bridge: string): Promise<void> {
  if ((await showLinks(["dev", link])).length > 0)
    await run("ip", ["link", "set", "dev", link, "master", bridge, "up"]);
}

export async function labBridges(): Promise<string[]> {
  const links = await showLinks(["type", "bridge"]);
  return links.map((link) => link.ifname).filter((name) => /^hha-[0-9a-f]{8}$/.test(name));
}

function ruleComment(name: string): string {
  return `harbor-ha-lab-${bridgeName(name)}`;
}

function refuseOverlap(spec: LabSpec, links: Link[]): void {
  const prefix = spec.subnet.replace(/0\/24$/, "");
  for (const link of links) {
    if (link.ifname === bridgeName(spec.name)) continue;
    const address = link.addr_info?.find((info) => info.family === "inet" && info.local.startsWith(prefix));
    if (!address) continue;
    throw new LabError(
      `The subnet ${spec.subnet} of lab "${spec.name}" is in use on this machine: ${link.ifname} has ` +
        `${address.local}/${address.prefixlen}. Choose another subnet, or take the other lab down.`,
    );
  }
}

async function showLinks(filter: string[]): Promise<Link[]> {
  const shown = await run("ip", ["-json", "link", "show", ...filter]).catch(() => "");
  const links: Link[] = JSON.parse(shown || "[]");
  return links.filter((link) => link.ifname);
}
