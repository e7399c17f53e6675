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
});
export type SshAccess = z.infer<typeof sshAccess>;

/** One of the two machines. `name` is its identity in every record, slot and label; `address` its private IPv4. */
export const node = z.object({ name: z.string(), address: z.string() });
export type Node = z.infer<typeof node>;
