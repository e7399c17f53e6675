import { readFileSync } from "node:fs";
import { type AgentSettings, agentSettings } from "../../components/model/agent.ts";
import { hostPaths } from "../../components/model/paths.ts";
import type { RecordAccess } from "../../components/model/record.ts";
import { RecordClient } from "../record/client.ts";

export function readSettings(): AgentSettings {
  return agentSettings.parse(JSON.parse(readFileSync(hostPaths.agent, "utf8")));
}

/** The record of this node's pair, reached through a child of this very program. */
export function openRecord({ record, recordKeys }: AgentSettings): RecordClient {
  if (record.kind === "s3" && !recordKeys) throw new Error(`${hostPaths.agent} holds no keys for the record's bucket`);
  return recordAt({ ...record, ...recordKeys } as RecordAccess);
}

export const recordAt = (access: RecordAccess) =>
  new RecordClient(access, [process.execPath, process.argv[1] as string, "record-child"]);
