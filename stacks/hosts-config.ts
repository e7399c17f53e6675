import { z } from "zod";
import { systems } from "../components/model/system.ts";
import { interfaceProblem } from "./hosts-checks.ts";

/** Where SSH, or anything else, finds a machine. */
export const sshAddress = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, "must be a name or an IPv4 address");

const sshKey = z
  .string()
  .regex(
    /^(ssh-ed25519|ecdsa-sha2-nistp\d+|ssh-rsa) [A-Za-z0-9+/]+=*$/,
    "must be type and key as `ssh-keyscan -t ed25519 <host>` prints them, without the host",
  );

const hostOptions = z.strictObject({
  address: z
    .ipv4("must be an IPv4 address")
    .describe("Address at which the other machine reaches it: PostgreSQL, Redis and the checks use it."),
  hostKey: sshKey.describe("Public host key, pinned: any other key is refused."),
  sshHost: sshAddress.optional().describe("Where SSH finds it, if not at `address`."),
  sshPort: z.int().min(1).max(65535).default(22).describe("Port of its SSH server."),
  networkInterface: z.string().optional().describe("Interface, where it differs from hosts.networkInterface."),
});

/** The way in to machines without an address of their own. */
export const jumpHost = z
  .strictObject({
    host: sshAddress.describe("Its name or address, seen from your machine."),
    port: z.int().min(1).max(65535).default(22).describe("Port of its SSH server."),
    user: z.string().default("root").describe("User that logs in there, with the same key."),
    hostKey: sshKey.describe("Its public host key, pinned."),
  })
  .describe("A host through which both machines are reached.");

const instanceId = z.string().regex(/^i-[0-9a-z]{4,}$/, "must be an ECS instance's id, e.g. i-bp67acfmxazb4ph1abcd");

const aliyunFence = z
  .strictObject({
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z0-9]+)+$/, "must be a region's id, e.g. cn-hangzhou")
      .describe("Region of both instances."),
    node1: instanceId.describe("The instance that is node1; its private address must be hosts.node1.address."),
    node2: instanceId.describe("The instance that is node2; its private address must be hosts.node2.address."),
    endpoint: z
      .string()
      .regex(/^https:\/\/[A-Za-z0-9.-]+(:\d+)?$/, "must be https:// and a host, without a path")
      .optional()
      .describe(
        "Address of the ECS API, e.g. https://ecs-vpc.cn-hangzhou.aliyuncs.com, where the region's public one is out of reach.",
      ),
  })
  .describe("Two ECS instances of Alibaba Cloud.");

/** The options of the target `hosts`. */
export const hostsOptions = z
  .strictObject({
    node1: hostOptions.describe("The first machine."),
    node2: hostOptions.describe("The second machine."),
    system: z
      .enum(systems)
      .default("debian-13")
      .describe(
        "Operating system of both machines. Debian 12 and Ubuntu 24.04 get PostgreSQL's and Docker's own package sources, and have not been run yet.",
      ),
    user: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]*$/, "must be a Linux user's name")
      .default("root")
      .describe("Who logs in. Another user than root needs sudo without a password."),
    privateKeyFile: z
      .string()
      .startsWith("/", "must be an absolute path")
      .optional()
      .describe(
        "Private key on the machine that runs `pulumi` and `harbor-ha`, without passphrase. Default: your SSH agent's keys. A new key runs every apply again, which changes nothing.",
      ),
    jump: jumpHost.optional(),
    networkInterface: z
      .string()
      .regex(/^[\w.-]{1,15}$/, "must be an interface's name as `ip link` prints it")
      .optional()
      .describe("Interface that carries the machines' addresses and gets the virtual one. Needed with virtualAddress."),
    virtualAddress: z
      .string()
      .superRefine((value, context) => {
        const problem = interfaceProblem(value);
        if (problem) context.addIssue({ code: "custom", message: problem });
      })
      .optional()
      .describe(
        "Free address of the machines' network with its prefix length, e.g. 10.0.0.10/24, where clients find Harbor; keepalived moves it. Either this or loadBalancer.",
      ),
    loadBalancer: z
      .strictObject({
        drainSeconds: z
          .int()
          .min(1)
          .max(600)
          .default(15)
          .describe(
            "Seconds after which your balancer sends nobody to a node whose check fails: interval × failures, and the time it lets connections end.",
          ),
      })
      .optional()
      .describe(
        "Your own balancer holds TCP 443: let it forward to port 8443 of both machines, check HTTP GET /endpoint on port 8008 (200), and keep a client with one machine by its address.",
      ),
    fence: z
      .union([z.string().min(1, "must be a shell command, or none"), z.strictObject({ aliyun: aliyunFence })])
      .describe(
        "How a lost primary is switched off before the other node takes over. A shell command, run where `harbor-ha` runs, that succeeds only once it is off; HARBOR_HA_NODE and HARBOR_HA_ADDRESS tell which. Or `aliyun` for two ECS instances of Alibaba Cloud: the lost one is stopped by force through the API and keeps its addresses and its billing; whoever runs `harbor-ha` needs credentials (environment, profile or instance role) with ecs:DescribeInstances and ecs:StopInstance. Or `none`: a failover then needs your word that it is off.",
      ),
  })
  .refine(
    (value) => (value.virtualAddress === undefined) !== (value.loadBalancer === undefined),
    "needs exactly one of `virtualAddress` and `loadBalancer`",
  )
  .describe("The machines of the target `hosts`.");
