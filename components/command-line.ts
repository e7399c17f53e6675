/** A call of the project's own command line for a local command resource, which runs in the project's directory. */
export function commandLine(...args: string[]): string {
  return ["node", "scripts/harbor-ha.ts", ...args].join(" ");
}
