import { z } from "zod";
import { node } from "./node.ts";
import { recordKeys, recordPlace } from "./record.ts";

/** How people are told: a shell command, a webhook, or both. */
export const notifyHook = z.object({ command: z.string().optional(), webhook: z.string().optional() });
export type NotifyHook = z.infer<typeof notifyHook>;

/** What the agent of one node is told, in /etc/harbor-ha/agent.json. */
export const agentSettings = z.object({
  self: node,
  peer: node,
  /** Data services that run on the nodes; none: there is no record to ask. */
  services: z.array(z.enum(["postgres", "redis"])).default(["postgres", "redis"]),
  record: recordPlace,
  recordKeys: recordKeys.optional(),
  /** Seconds without a sign of life from the standby after which writes go on without it. */
  degradeAfterSeconds: z.number().positive(),
  durability: z.enum(["available", "strict"]),
  stack: z.string(),
  /** The address whose arrival people are told of. */
  virtualAddress: z.string().optional(),
  notify: notifyHook.optional(),
});
export type AgentSettings = z.infer<typeof agentSettings>;
