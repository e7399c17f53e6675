import type { StackSettings } from "./stack.ts";

/** What `pulumi config --json` prints, by full key; secrets, and objects that hold one, come without their value. */
export type StackConfig = Record<string, { value?: string; objectValue?: unknown }>;

/** An object option with the leaf values that `init` sets. */
type Values = Record<string, string | undefined>;

/**
 * The settings that `init` still has to set, by path: what is set already stays. An installer that was set half, by a run
 * that was killed, is completed; another one than the given stays as it is. Pure.
 */
export function missingSettings(config: StackConfig, settings: StackSettings): [path: string, value: string][] {
  const missing: [string, string | undefined][] = [];
  if (!config["harbor-ha:hostname"]) missing.push(["hostname", settings.hostname]);
  if (!isHidden(config, "lab") && part(config, "lab").subnet === undefined)
    missing.push(["lab.subnet", settings.subnet]);
  if (settings.aliyun) {
    if (!config["harbor-ha:target"]) missing.push(["target", "aliyun"]);
    const present: Record<string, unknown> = part(config, "aliyun");
    missing.push(...settings.aliyun.filter(([path]) => !isSet(present, path)));
  }
  if (!isHidden(config, "harbor")) {
    const present = (part(config, "harbor") as { installer?: Values }).installer ?? {};
    const given: Values = { ...settings.installer };
    if (Object.entries(present).every(([name, value]) => given[name] === value))
      for (const [name, value] of Object.entries(given))
        if (present[name] === undefined) missing.push([`harbor.installer.${name}`, value]);
  }
  return missing.filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/** The host name that the stack has, or gets: the certificate is made for this one. */
export function effectiveHostname(config: StackConfig, settings: StackSettings): string {
  return config["harbor-ha:hostname"]?.value ?? settings.hostname;
}

/** Whether there is something at `aliyun.<name>` or `aliyun.<name>[<index>]`. */
function isSet(present: Record<string, unknown>, path: string): boolean {
  const [, name = "", index] = /^aliyun\.(\w+)(?:\[(\d+)\])?$/.exec(path) ?? [];
  const value = present[name];
  return index === undefined || !Array.isArray(value) ? value !== undefined : value[Number(index)] !== undefined;
}

const isHidden = (config: StackConfig, name: string) => {
  const entry = config[`harbor-ha:${name}`];
  return entry !== undefined && entry.value === undefined;
};

const part = (config: StackConfig, name: string) => (config[`harbor-ha:${name}`]?.objectValue ?? {}) as Values;
