/** The engine's address is the first argument that is no option; tracing takes a value. */
export function engineAddress(args: string[]): string | undefined {
  return args.find((arg, index) => !arg.startsWith("-") && !/^--?tracing$/.test(args[index - 1] ?? ""));
}
