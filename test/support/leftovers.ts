import { readdirSync, readFileSync } from "node:fs";
import spawn from "nano-spawn";
import { labDirectory } from "../../components/model/lab.ts";
import { bridgeName, machineName } from "../../scripts/lab/paths.ts";
import { testStack } from "./stack.ts";

/** What of a lab is still on this machine: processes, mounts, loop devices, links, firewall rules. */
export async function leftovers(subnet: string): Promise<string[]> {
  const directory = labDirectory(testStack);
  const names = [
    directory,
    bridgeName(testStack),
    machineName(testStack, "node1"),
    machineName(testStack, "node2"),
    subnet.replace("0/24", ""),
  ];
  const mentions = (text: string) => names.some((name) => text.includes(name));
  const lines = async (program: string, ...args: string[]) => (await spawn(program, args)).stdout.split("\n");
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => readSafely(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
  return [
    ...processes,
    ...(await lines("mount")),
    ...(await lines("losetup", "-a")),
    ...(await lines("ip", "-o", "link")),
    ...(await lines("iptables-save")),
  ].filter(mentions);
}

function readSafely(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
