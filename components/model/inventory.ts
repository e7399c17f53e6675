import { z } from "zod";
import { sshAccess } from "./node.ts";
import { topology } from "./topology.ts";

/** How a node is proven to be off before the other one takes over. */
export const fence = z.discriminatedUnion("kind", [
  /** A host of the lab: its power is cut. */
  z.object({ kind: z.literal("lab") }),
  /** A shell command on the operator's machine; `$HARBOR_HA_NODE` and `$HARBOR_HA_ADDRESS` say which; exit code 0 means off. */
  z.object({ kind: z.literal("command"), command: z.string() }),
  /** An ECS instance of Alibaba Cloud is stopped by force, with the credentials of whoever asks for it. */
  z.object({
    kind: z.literal("aliyun"),
    region: z.string(),
    /** Where the public endpoint of the region is out of reach. */
    endpoint: z.string().optional(),
    /** The instance of each node. */
    instances: z.record(z.string(), z.string()),
  }),
  z.object({ kind: z.literal("none") }),
]);
export type Fence = z.infer<typeof fence>;

/** Everything the command line needs to find and run the pair; holds no secret. Also lies on both nodes (without key files). */
export const inventory = z.object({
  format: z.literal(1),
  topology,
  access: z.record(z.string(), sshAccess),
  fence,
  /** Nodes that are left alone for now: dead, or being replaced. */
  absent: z.array(z.string()).optional(),
  harbor: z.object({
    version: z.string(),
    /** The offline installer; `file` lies on the operator's machine, `url` is fetched by each node. */
    installer: z.object({ file: z.string().optional(), url: z.string().optional(), sha256: z.string() }),
  }),
});
export type Inventory = z.infer<typeof inventory>;

/** The nodes that commands reach out to. */
export const presentNodes = ({ topology, absent = [] }: Pick<Inventory, "topology" | "absent">) =>
  topology.nodes.filter(({ name }) => !absent.includes(name));
