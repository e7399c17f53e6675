/** Variables that a command gets beside those its process has anyway. */
import type { PropertyMap } from "./property-value.ts";

export function ownVariables(inputs: PropertyMap): Record<string, string> {
  return (inputs.environment ?? {}) as Record<string, string>;
}

/** What the last run printed, unless it printed nothing or nobody wants it. */
export function previousOutput(inputs: PropertyMap, previous: PropertyMap): Record<string, string> {
  if (inputs.addPreviousOutputInEnv === false) return {};
  const variables: Record<string, string> = {};
  if (previous.stdout) variables.PULUMI_COMMAND_STDOUT = String(previous.stdout);
  if (previous.stderr) variables.PULUMI_COMMAND_STDERR = String(previous.stderr);
  return variables;
}
