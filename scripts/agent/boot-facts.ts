import { readFileSync } from "node:fs";
import type { AgentSettings } from "../../components/model/agent.ts";
import { hostPaths } from "../../components/model/paths.ts";
import { believe } from "../record/belief.ts";
import type { RecordClient } from "../record/client.ts";
import type { BootFacts } from "./boot.ts";
import { readData } from "./data.ts";
import { readKnown } from "./known.ts";
import { askPeer } from "./peer.ts";
import { openRecord } from "./settings.ts";

/** What the boot table decides by, read anew: record, own copy, peer and data directory. `open`: a record that is open already. */
export async function readBootFacts(settings: AgentSettings, open?: RecordClient): Promise<BootFacts> {
  const { name: self } = settings.self;
  const operation = operationToken();
  // Nothing here may start or not start.
  if (settings.services.length === 0)
    return { self, belief: { state: "none" }, peer: { state: "silent" }, data: await readData(), operation };
  const record = open ?? openRecord(settings);
  try {
    const [reading, peer, data] = await Promise.all([record.read(), askPeer(settings.peer.address), readData()]);
    return { self, belief: believe(reading, readKnown()), peer, data, operation };
  } finally {
    if (!open) record.close();
  }
}

/** The token of an operation that holds this host's lock; it removes the file when it ends. */
export function operationToken(): string | undefined {
  try {
    return readFileSync(`${hostPaths.run}/operation-token`, "utf8").trim();
  } catch {
    return undefined;
  }
}
