import { z } from "zod";

/** How a person or a program logs in on a node. */
export const sshAccess = z.object({
  host: z.string(),
  port: z.number().int(),
  user: z.string(),
  /** Public host key, `type base64`; any other key is refused. */
  hostKey: z.string(),
  /** Private key file on the operator's machine; absent: the SSH agent and ssh_config decide. */
  identityFile: z.string().optional(),
  /** A host through which this one is reached, with its own pinned key; same login key. */
  jump: z.object({ host: z.string(), port: z.number().int(), user: z.string(), hostKey: z.string() }).optional(),
});
export type SshAccess = z.infer<typeof sshAccess>;

/**
 * One of the two machines. `name` is its identity in every record, slot and label; `address` its private IPv4;
 * `networkInterface` carries it, and the virtual address where there is one.
 */
export const node = z.object({ name: z.string(), address: z.string(), networkInterface: z.string().optional() });
export type Node = z.infer<typeof node>;
