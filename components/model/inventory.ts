import { z } from "zod";
import { sshAccess } from "./node.ts";
import { topology } from "./topology.ts";

/** Everything the command line needs to find and run the pair; holds no secret. Also lies on both nodes (without key files). */
export const inventory = z.object({
  format: z.literal(1),
  topology,
  access: z.record(z.string(), sshAccess),
  harbor: z.object({
    version: z.string(),
    /** The offline installer; `file` lies on the operator's machine, `url` is fetched by each node. */
    installer: z.object({ file: z.string().optional(), url: z.string().optional(), sha256: z.string() }),
  }),
});
export type Inventory = z.infer<typeof inventory>;
