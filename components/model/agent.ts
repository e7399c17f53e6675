import { z } from "zod";
import { node } from "./node.ts";
import { recordPlace } from "./record.ts";

/** What the agent of one node is told, in /etc/harbor-ha/agent.json. */
export const agentSettings = z.object({
  self: node,
  peer: node,
  record: recordPlace,
  /** Seconds without a sign of life from the standby after which writes go on without it. */
  degradeAfterSeconds: z.number().positive(),
  durability: z.enum(["available", "strict"]),
});
export type AgentSettings = z.infer<typeof agentSettings>;
