// The entry that Pulumi loads: says one clear sentence on a Node that cannot run TypeScript, then starts the program.
import { RunError } from "@pulumi/pulumi";

export default async function main() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 18))
    throw new RunError(
      `harbor-ha needs Node.js 22.18 or newer, and pulumi found ${process.versions.node}: run it in \`npm run shell\`, or install a newer Node.js.`,
    );
  const { program } = await import("./index.ts");
  return program();
}
