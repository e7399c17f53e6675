import { aliyunTopology } from "../../components/model/aliyun.ts";
import { hostsTopology } from "../../components/model/hosts.ts";
import { labTopology } from "../../components/model/lab.ts";
import { formatProblems } from "../../components/model/problems.ts";
import type { RecordAccess, RecordPlace } from "../../components/model/record.ts";
import { type Config, readConfig } from "../../stacks/config.ts";
import { pulumi } from "../init/stack.ts";
import { UserError } from "../user-error.ts";

/** Name of the selected stack. */
export async function selectedStack(): Promise<string> {
  return (await pulumi(process.env, ["stack", "--show-name"])).trim();
}

/** Where the configuration of the selected stack wants the record, with what opens it. */
export async function configuredRecord(): Promise<RecordAccess> {
  const text = await pulumi(process.env, ["config", "--json", "--show-secrets"]);
  const entries = Object.entries(JSON.parse(text) as Record<string, { value?: string }>);
  const read = readConfig(Object.fromEntries(entries.map(([key, { value = "" }]) => [key, value])));
  if ("problems" in read) throw new UserError(formatProblems(read.problems));
  const { config } = read;
  const record = recordIn(config, await selectedStack());
  if (record.kind !== "s3" || !config.record) return record as RecordAccess;
  const { accessKeyId, secretAccessKey } = config.record.s3;
  return { ...record, accessKeyId, secretAccessKey };
}

function recordIn(config: Config, stack: string): RecordPlace {
  const { hosts, aliyun, target } = config;
  if (target === "aliyun" && aliyun) return aliyunTopology(stack, { ...config, aliyun }).record;
  if (target === "hosts" && hosts) return hostsTopology(stack, { ...config, hosts }).record;
  return labTopology.of(stack, config).record;
}
