import type { Config } from "../../stacks/config.ts";
import type { MakeInfrastructure } from "./infrastructure.ts";

/** Who makes the machines. Each is loaded only where it is used: the cloud's SDK is big. `readConfig` refuses a target without its options. */
export const targets: Record<Config["target"], () => Promise<MakeInfrastructure>> = {
  async lab() {
    const { labInfrastructure } = await import("./lab.ts");
    return labInfrastructure;
  },
  async hosts() {
    const { hostsInfrastructure } = await import("./hosts.ts");
    return (stack, config, parent) => hostsInfrastructure(stack, withOptions(config, "hosts"), parent);
  },
  async aliyun() {
    const { aliyunInfrastructure } = await import("./aliyun/aliyun.ts");
    return (stack, config, parent) => aliyunInfrastructure(stack, withOptions(config, "aliyun"), parent);
  },
};

function withOptions<K extends "hosts" | "aliyun">(
  config: Config,
  name: K,
): Config & Record<K, NonNullable<Config[K]>> {
  const options = config[name];
  if (!options) throw new Error(`no ${name}`);
  return { ...config, [name]: options } as Config & Record<K, NonNullable<Config[K]>>;
}
