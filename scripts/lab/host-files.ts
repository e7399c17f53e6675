/** Files that make a copy of the base one particular host. Pure texts. */
import { gatewayOf, type LabSpec } from "./spec.ts";

/** systemd-nspawn calls the host's end of the cable host0. */
export function renderNetworkFile(spec: LabSpec, address: string): string {
  return `[Match]
Name=host0

[Network]
Address=${address}/24
Gateway=${gatewayOf(spec)}
LinkLocalAddressing=no
IPv6AcceptRA=no
LLMNR=no
MulticastDNS=no
`;
}

export function renderHostsFile(spec: LabSpec): string {
  const nodes = spec.nodes.map((node) => `${node.address} ${node.name}`);
  return ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback", ...nodes, ""].join("\n");
}

/** The machine's name servers without those on its loopback, which a host cannot reach. */
export function renderResolverFile(machine: string): string {
  const reachable = machine.split("\n").filter((line) => !/^\s*nameserver\s+(127\.|::1)/.test(line) && line.trim());
  return reachable.map((line) => `${line}\n`).join("");
}
