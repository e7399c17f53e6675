import { hostsTopology } from "../../components/model/hosts.ts";
import { labTopology } from "../../components/model/lab.ts";
import { formatProblems } from "../../components/model/problems.ts";
import type { RecordAccess } from "../../components/model/record.ts";
import { readConfig } from "../../stacks/config.ts";
import { pulumi } from "../init/stack.ts";
import { UserError } from "../user-error.ts";

/** Where the configuration of the selected stack wants the record, with what opens it. */
export async function configuredRecord(): Promise<RecordAccess> {
  const text = await pulumi(process.env, ["config", "--json", "--show-secrets"]);
  const entries = Object.entries(JSON.parse(text) as Record<string, { value?: string }>);
  const read = readConfig(Object.fromEntries(entries.map(([key, { value = "" }]) => [key, value])));
  if ("problems" in read) throw new UserError(formatProblems(read.problems));
  const { config } = read;
  const { hosts } = config;
  const { record } =
    config.target === "hosts" && hosts ? hostsTopology("", { ...config, hosts }) : labTopology.of("", config);
  if (record.kind === "directory" || !config.record) return record as RecordAccess;
  const { accessKeyId, secretAccessKey } = config.record.s3;
  return { ...record, accessKeyId, secretAccessKey };
}
