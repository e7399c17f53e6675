import { z } from "zod";
import { systems } from "../components/model/system.ts";
import { jumpHost } from "./hosts-config.ts";

const cidr = (least: number) =>
  z.string().superRefine((value, context) => {
    const problem = cidrProblem(value, least);
    if (problem) context.addIssue({ code: "custom", message: problem });
  });

/** What is wrong with a network in CIDR notation, if anything. `least`: its shortest prefix. */
export function cidrProblem(value: string, least: number): string | undefined {
  if (!/^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/.test(value)) return "must be a network written as a.b.c.d/n";
  const [address = "", prefix = ""] = value.split("/");
  const bytes = address.split(".").map(Number);
  const length = Number(prefix);
  if (bytes.some((byte) => byte > 255) || length > 32) return "is no network: a number in it is too big";
  if (length < least) return `is too wide: its prefix must be /${least} or longer`;
  const bits = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  if (bits % 2 ** (32 - length) !== 0) return `has bits set beyond its prefix /${length}`;
  return undefined;
}

const id = (prefix: string, what: string) =>
  z.string().regex(new RegExp(`^${prefix}-[0-9a-z]{4,}$`), `must be the id of ${what}, ${prefix}-…`);
const zone = z.string().regex(/^[a-z]{2}(-[a-z0-9]+)+$/, "must be a zone's id, e.g. cn-hangzhou-j");
const two = <T extends z.ZodType>(item: T) => z.tuple([item, item]);
const differ = (items: string[]) => new Set(items).size === items.length;
const diskGb = z.int().min(20).max(32768);

/** The options of the target `aliyun`. What only the account knows was asked once, by `init`. */
export const aliyunOptions = z
  .strictObject({
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z0-9]+)+$/, "must be a region's id, e.g. cn-hangzhou")
      .describe("Region of everything, for good."),
    zones: two(zone).describe(
      "Zone of node1 and zone of node2, two different ones in which ECS, the balancer and NAS are sold. For good: a preview refuses a change.",
    ),
    image: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{4,128}$/, "must be an image's id")
      .describe(
        "Image of new nodes, with the operating system that `system` names. Nodes that exist keep theirs: a new one would wipe their system disk.",
      ),
    system: z.enum(systems).default("debian-12").describe("Operating system of the image."),
    instanceType: z
      .string()
      .regex(/^ecs\.[a-z0-9-]+(\.[a-z0-9-]+)+$/, "must be an instance type, e.g. ecs.e-c1m2.large")
      .default("ecs.e-c1m2.large")
      .describe(
        "Size of each node: 2 cores and 4 GB by default. For new nodes: docs/aliyun.md tells how one that exists gets another size.",
      ),
    diskCategory: z
      .enum(["cloud_essd", "cloud_auto", "cloud_essd_entry", "cloud_ssd", "cloud_efficiency"])
      .default("cloud_essd_entry")
      .describe(
        "Kind of both disks of a node; the cheapest one by default. A change is for data disks; system disks that exist keep theirs.",
      ),
    systemDiskGb: diskGb
      .default(40)
      .describe(
        "Size of the system disk, on which Docker and logs lie. A bigger one needs growpart and resize2fs on the node afterwards.",
      ),
    dataDiskGb: diskGb
      .default(40)
      .describe("Size of the disk that holds PostgreSQL alone. It can grow, without a stop."),
    administrators: z
      .array(cidr(8))
      .refine(({ length }) => length > 0, "needs at least one network from which SSH is allowed")
      .refine(differ, "names a network twice")
      .describe("Networks from which SSH (port 22) is allowed, such as your own address with /32."),
    clients: z
      .array(cidr(0))
      .refine(({ length }) => length > 0, "needs at least one network")
      .refine(differ, "names a network twice")
      .describe("Networks from which Harbor is reached, on TCP 443 of the balancer. 0.0.0.0/0 opens it to everybody."),
    publicAddresses: z
      .boolean()
      .default(true)
      .describe(
        "Whether each node has an address of its own (an EIP, paid by traffic), for SSH from `administrators` and for packages. Without, you need a way in (`jump`) and one out (a NAT gateway).",
      ),
    jump: jumpHost.optional(),
    user: z.string().default("root").describe("Who logs in. Another user than root needs sudo without a password."),
    publicKey: z
      .string()
      // What ImportKeyPair documents (2026-06).
      .regex(
        /^(ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*( .*)?$/,
        "must be an RSA or ECDSA public key, as in id_rsa.pub: ECS documents no other (ssh-keygen -t rsa -b 4096)",
      )
      .describe(
        "Public key that may log in on the nodes: RSA or ECDSA, since ECS documents no other. Read when the pair is made; later keys belong into the nodes' authorized_keys.",
      ),
    privateKeyFile: z
      .string()
      .startsWith("/", "must be an absolute path")
      .optional()
      .describe(
        "Its private key on the machine that runs `pulumi`, without passphrase. Default: your SSH agent's keys.",
      ),
    network: z
      .strictObject({
        cidr: cidr(8)
          .refine((value) => value.endsWith(".0.0/16"), "must be a /16 network, a.b.0.0/16")
          .refine(
            (value) => /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(value),
            "must be a private network: in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
          )
          .default("10.77.0.0/16")
          .describe("Private /16 network of the pair; its second and third /24 are the switches."),
        existing: z
          .strictObject({
            vpc: id("vpc", "a VPC").describe("The VPC that holds the switches."),
            switches: two(id("vsw", "a vSwitch")).describe("Its switches in the two zones."),
            cidrs: two(cidr(8)).describe("Networks of those switches."),
            addresses: two(z.ipv4()).describe("A free address in each, for node1 and node2."),
          })
          .optional()
          .describe("A network of yours instead of one of the stack's own."),
      })
      .prefault({})
      .describe("Where the nodes are."),
    loadBalancer: z
      .strictObject({
        kind: z
          .enum(["nlb", "clb"])
          .default("nlb")
          .describe(
            "Family: `nlb` is active in both zones and reached by a CNAME; `clb` has one address, and the second zone as reserve.",
          ),
        public: z.boolean().default(true).describe("Whether clients reach it from outside the VPC."),
      })
      .prefault({})
      .describe("The balancer that holds TCP 443."),
    images: z
      .enum(["nas", "oss"])
      .default("nas")
      .describe(
        "Where images lie. `nas`: an NFS share in the zone of node1. `oss`: a bucket in all zones, opened by a key for it alone. The registry that Harbor brings signs requests to OSS in a way (version 1) that Alibaba Cloud closes to accounts opened after March and buckets made after September 2025, step by step: prove it on your account before you rely on it. What is stored does not move by itself.",
      ),
    nas: z
      .strictObject({
        storageType: z
          .enum(["Performance", "Capacity", "Premium"])
          .default("Capacity")
          .describe(
            "Kind of the file system: Capacity is the cheapest by space. For good: a preview refuses a change.",
          ),
      })
      .prefault({})
      .describe("The share that holds the images, by what is stored."),
    bucketSuffix: z
      .string()
      .regex(/^[a-z0-9]{4,12}$/, "must be 4 to 12 lower-case letters and digits")
      .describe(
        "Ending of the buckets' names, which all customers share: any that nobody else has thought of. For good: a preview refuses a change.",
      ),
    redis: z
      .strictObject({
        instanceClass: z
          .string()
          .regex(/^redis\.[a-z0-9.]+$/, "must be a class of instances, e.g. redis.shard.small.ce")
          .describe(
            "Its size, a standard one with two nodes: Harbor does not work with clusters. 1 GB is plenty. Redis 6.0 and 7.0 are sold as cloud-native classes (….ce).",
          ),
        version: z.enum(["6.0", "7.0"]).default("7.0").describe("Redis version. It cannot be lowered."),
      })
      .optional()
      .describe(
        "A managed Redis with a node in each zone in place of the pair's own, reached by the nodes alone, without TLS. Sessions and running jobs do not move by themselves.",
      ),
    postgres: z
      .strictObject({
        instanceType: z
          .string()
          .regex(/^pg\.[a-z0-9]+\.[a-z0-9]+\.[a-z0-9]+$/, "must be a class of instances, e.g. pg.n2.2c.2m")
          .default("pg.n2.2c.2m")
          .describe("Its size, one of the high-availability edition: 2 cores and 4 GB by default."),
        storageGb: z
          .int()
          .min(20)
          .max(32000)
          .refine((value) => value % 5 === 0, "must be a multiple of 5")
          .default(50)
          .describe("Its disk at first. It grows by itself when a third or less is free."),
        version: z.enum(["15.0", "16.0", "17.0"]).default("17.0").describe("PostgreSQL version."),
      })
      .optional()
      .describe(
        "RDS PostgreSQL, high availability in both zones, in place of the pair's own: failover, backup and restore of the database are then the provider's. Data does not move by itself.",
      ),
    protect: z
      .boolean()
      .default(true)
      .describe(
        "Whether nodes, addresses, balancer, disks and images refuse to be deleted. To tear down: set it to false, `pulumi up`, then `pulumi destroy`. While it is false, what leaves the stack is deleted for good, images too; a bucket of backups has to be emptied by hand first.",
      ),
    arguments: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .default({})
      .describe(
        "Arguments of the provider that no option here sets, by resource as `pulumi preview` names it, e.g. `alicloud:nlb:Listener nlb`: {idleTimeout: 600}. They have the last word, over everything that the toolkit promises too. Never a secret.",
      ),
    tags: z
      .record(z.string().regex(/^(?!aliyun|acs:)[\w.:/=+@-]{1,64}$/, "is no tag's name"), z.string().max(128))
      .default({})
      .describe("Tags of everything, beside harbor-ha: <stack>. Never a secret: everybody with the account sees them."),
  })
  .describe("The pair in Alibaba Cloud.");
