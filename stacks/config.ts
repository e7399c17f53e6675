import { isIP } from "node:net";
import { z } from "zod";
import { hostAddress } from "../components/model/address.ts";
import { operations } from "../components/model/operation.ts";
import { describeIssues, type Problem } from "../components/model/problems.ts";
import { ownedSettings } from "../components/services/postgres/settings.ts";
import { aliyunProblems } from "./aliyun-checks.ts";
import { aliyunOptions } from "./aliyun-config.ts";
import { addressProblem, certificateNames, certificateProblems, hostnameProblem, overlap } from "./checks.ts";
import { hostsProblems } from "./hosts-checks.ts";
import { hostsOptions, sshAddress } from "./hosts-config.ts";

/** Harbor breaks on other characters in places that differ by version (database address, Redis URL, env files). */
const secretText = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]*$/, "may hold only letters, digits, `_` and `-`, and must begin with a letter");

const settingValue = z.union([
  z.string().regex(/^[^\n']*$/, "must not contain quotes or line breaks"),
  z.number(),
  z.boolean(),
]);

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be the 64 hexadecimal digits that `sha256sum` prints");

const databaseName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, "must be letters, digits, `_`, `.` and `-`, beginning with a letter");
const objectFolder = z.string().regex(/^[\w-]+(\/[\w-]+)*$/, "must be letters, digits, - and _, with / in between");
const bucketOptions = {
  endpoint: z
    .url({ protocol: /^https?$/ })
    .describe("Address of the S3-compatible service, e.g. https://s3.eu-central-1.amazonaws.com."),
  region: z
    .string()
    .regex(/^[\w-]+$/, "must be letters, digits and -")
    .default("us-east-1")
    .describe("Region that requests are signed for."),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be a bucket's name")
    .describe("Private bucket that exists already."),
  accessKeyId: z
    .string()
    .regex(/^\w+$/, "must be letters and digits")
    .describe("Key that may list, read, write and delete there."),
  secretAccessKey: z
    .string()
    .regex(/^[\w+/=.-]{8,}$/, "must be the secret of that key")
    .describe("Secret of the key.")
    .meta({ secret: true }),
};

const nodeOptions = z
  .strictObject({
    absent: z
      .boolean()
      .default(false)
      .describe(
        "Whether `up` and every command leave this node alone, while it is dead or being replaced. Nothing on it is touched; the other node gets new files, but nothing there that serves is restarted.",
      ),
  })
  .prefault({});

const nodeName = z.enum(["node1", "node2"]);

/** Every option. The descriptions are the documentation: docs/config.md and the JSON Schema are generated from them. */
export const configSchema = z.strictObject({
  hostname: z
    .string()
    .superRefine((value, context) => {
      const problem = hostnameProblem(value);
      if (problem) context.addIssue({ code: "custom", message: problem });
    })
    .describe(
      "Name or IPv4 address under which clients reach Harbor; certificates and tokens carry it. Changing it later restarts Harbor and needs a certificate with the new name.",
    ),
  target: z
    .enum(["lab", "hosts", "aliyun"])
    .default("lab")
    .describe(
      "Who makes the machines. `lab`: the toolkit, as two systemd hosts on this machine (root on Debian or Ubuntu). `hosts`: you; two machines reached over SSH. `aliyun`: the toolkit, as ECS instances of Alibaba Cloud with everything around them; not run against the cloud yet.",
    ),
  lab: z
    .strictObject({
      subnet: z
        .string()
        .default("10.231.77.0/24")
        .superRefine((value, context) => {
          const problem = addressProblem(value, 24);
          if (problem) context.addIssue({ code: "custom", message: problem });
        })
        .describe(
          "Private /24 network of the lab: .1 is this machine, .10 the virtual address, .11 and .12 the nodes. Must not overlap a network in use.",
        ),
    })
    .prefault({})
    .describe("The machine-local lab."),
  hosts: hostsOptions.optional(),
  aliyun: aliyunOptions.optional(),
  storage: z
    .strictObject({
      path: z
        .string()
        .regex(/^\/[\w./-]+[\w-]$/, "must be an absolute path without spaces")
        .default("/mnt/harbor-ha")
        .describe("Directory on both machines that holds the images and the cluster record; a mount of its own."),
      nfs: z
        .strictObject({
          server: sshAddress.describe("Name or address of the NFS server."),
          export: z.string().startsWith("/", "must begin with /").describe("Path the server exports."),
          version: z.enum(["3", "4.0", "4.1", "4.2"]).default("4.1").describe("Version of the NFS protocol."),
        })
        .optional()
        .describe(
          "The NFS share that the toolkit mounts there: once for the images (hard), once for the record (soft, uncached). Default: you mount the directory.",
        ),
      s3: z
        .strictObject({
          ...bucketOptions,
          folder: objectFolder.default("harbor").describe("Folder of the bucket in which the images lie."),
        })
        .optional()
        .describe(
          "An S3-compatible bucket for the images instead of a directory; the record then needs record.s3. What is stored already does not move by itself.",
        ),
    })
    .refine((value) => !value.nfs || !value.s3, "needs at most one of `nfs` and `s3`")
    .prefault({})
    .describe("Shared storage of the target `hosts`. On the lab it is a directory of this machine."),
  record: z
    .strictObject({
      s3: z
        .strictObject({
          ...bucketOptions,
          prefix: objectFolder
            .default("harbor-ha/record")
            .describe("Beginning of the objects' names. Two pairs in one bucket need two prefixes."),
        })
        .describe(
          "An S3-compatible bucket of its own, without versioning: with versions a second creation of an entry succeeds on some services.",
        ),
    })
    .optional()
    .describe(
      "Where the cluster record lies. Default: on the shared storage. A later change needs `harbor-ha record move` first.",
    ),
  nodes: z
    .strictObject({ node1: nodeOptions.describe("The first node."), node2: nodeOptions.describe("The second node.") })
    .prefault({})
    .refine(({ node1, node2 }) => !node1.absent || !node2.absent, "cannot both be absent")
    .describe("The nodes, one by one."),
  initialPrimary: nodeName
    .default("node1")
    .describe(
      "Node that gets the first, empty database. Read once, when neither node has data; a later change moves nothing.",
    ),
  postgres: z
    .strictObject({
      maxConnections: z
        .int()
        .min(50)
        .max(2000)
        .default(200)
        .describe(
          "Connections PostgreSQL accepts. Each costs some memory. Changing it restarts the standby, then the primary (`roll`).",
        ),
      sharedBuffersMb: z
        .int()
        .min(16)
        .default(256)
        .describe(
          "PostgreSQL's shared memory in MB; a quarter of a dedicated machine's memory is usual. Changing it restarts the standby, then the primary.",
        ),
      maxSlotWalKeepMb: z
        .int()
        .min(256)
        .default(2048)
        .describe(
          "Most WAL in MB kept for a standby that is away. Beyond it the standby must be built anew; without it the disk fills.",
        ),
      durability: z
        .enum(["available", "strict"])
        .default("available")
        .describe(
          "What happens when the standby is gone. `available`: after degradeAfterSeconds writes go on without it, recorded; a failover then refuses until it is back. `strict`: writes wait until the standby is back.",
        ),
      degradeAfterSeconds: z
        .number()
        .min(2)
        .max(600)
        .default(5)
        .describe(
          "Seconds without a sign of life from the standby after which writes go on without it. Shorter: more degraded periods; longer: longer stalls.",
        ),
      settings: z
        .record(z.string().regex(/^[a-z_.]+$/, "must be a PostgreSQL setting's name in lower case"), settingValue)
        .default({})
        .describe(
          "Further postgresql.conf settings by name. Settings that only a restart can change are applied by `roll`, standby first.",
        ),
      external: z
        .strictObject({
          host: sshAddress.describe("Name or address of the server, or of what leads to it."),
          port: z.int().min(1).max(65535).default(5432).describe("Port of that server."),
          database: databaseName.default("registry").describe("Empty database in UTF-8 that exists already."),
          user: databaseName.describe("Role that owns the database."),
          password: z
            .string()
            .regex(/^[^"'\\\s]+$/, "must not contain quotes, backslashes or spaces")
            .describe("Password of the role.")
            .meta({ secret: true }),
          sslMode: z
            .enum(["disable", "require", "verify-ca", "verify-full"])
            .default("require")
            .describe("How PgBouncer on the nodes uses TLS to it, in PostgreSQL's own terms."),
          caCertificate: z
            .string()
            .startsWith("-----BEGIN CERTIFICATE-----", "must be a PEM certificate")
            .optional()
            .describe("CA that verify-ca and verify-full trust. Default: the nodes' own list."),
        })
        .optional()
        .describe(
          "A PostgreSQL server of yours, 13 or newer, in place of the pair's own: the other options here then mean nothing, and keeping it alive, backed up and safe is its provider's task. Data does not move by itself.",
        ),
    })
    .prefault({})
    .describe("PostgreSQL 17, primary and synchronous standby; or a server of yours."),
  pgbouncer: z
    .strictObject({
      poolSize: z
        .int()
        .min(5)
        .max(500)
        .default(40)
        .describe("Server connections per node for Harbor. Twice this must stay below postgres.maxConnections."),
    })
    .prefault({})
    .describe("PgBouncer on each node, in transaction pooling."),
  redis: z
    .strictObject({
      maxMemoryMb: z
        .int()
        .min(64)
        .default(512)
        .describe(
          "Memory limit of Redis in MB. Nothing is evicted: at the limit writes fail, so jobs and logins stop.",
        ),
      external: z
        .strictObject({
          host: sshAddress.describe("Name or address of the server, or of what leads to its master."),
          port: z.int().min(1).max(65535).default(6379).describe("Port of that server."),
          user: databaseName
            .optional()
            .describe("User of its access list; Harbor 2.15 or newer. Default: none, the password alone."),
          password: secretText.describe("Its password; Harbor breaks on other characters.").meta({ secret: true }),
          caCertificate: z
            .string()
            .startsWith("-----BEGIN CERTIFICATE-----", "must be a PEM certificate")
            .optional()
            .describe(
              "CA of its certificate, which must carry `host` as its DNS name or common name: with it HAProxy on the nodes speaks TLS to it. Default: plain TCP.",
            ),
        })
        .optional()
        .describe(
          "A Redis server of yours, 6 or newer and with maxmemory-policy noeviction, in place of the pair's own; databases 0 to 5 are Harbor's. Running jobs and sessions do not move by themselves.",
        ),
    })
    .prefault({})
    .describe("Redis primary and replica, append-only file on; or a server of yours."),
  harbor: z
    .strictObject({
      version: z
        .string()
        .regex(/^2\.(13|14|15)\.\d+$/, "must be a Harbor release from 2.13 to 2.15, e.g. 2.15.2")
        .default("2.15.2")
        .describe("Harbor release that the installer file contains; decides the keys of harbor.yml."),
      installer: z
        .strictObject({
          file: z
            .string()
            .optional()
            .describe(
              "Path of the offline installer (.tgz) on the machine that runs `pulumi`; copied to each node. Either this or `url`.",
            ),
          url: z
            .url({ protocol: /^https?$/ })
            .optional()
            .describe("Address each node fetches the offline installer from. Either this or `file`."),
          sha256: sha256.describe("SHA-256 of the installer file; a file with another one is refused."),
        })
        .refine(
          (value) => (value.file === undefined) !== (value.url === undefined),
          "needs exactly one of `file` and `url`",
        )
        .describe("Harbor's offline installer."),
      logLevel: z
        .enum(["debug", "info", "warning", "error", "fatal"])
        .default("info")
        .describe("Harbor's log level. Changing it restarts Harbor, one node after the other."),
      maxJobWorkers: z
        .int()
        .min(1)
        .max(100)
        .default(10)
        .describe(
          "Jobs each node runs at once (replication, scans, garbage collection). Changing it restarts Harbor, one node after the other.",
        ),
      garbageCollection: z
        .string()
        .regex(/^(none|[\d*/,-]+( [\d*/,-]+){5})$/, "must be six cron fields, seconds first, or none")
        .default("0 0 3 * * 6")
        .describe(
          "When Harbor deletes blobs that no artifact needs any more (UTC; seconds first), or `none`. Scheduled once, after the first installation; from then on Harbor's own settings count.",
        ),
      auditRetentionDays: z
        .int()
        .min(0)
        .max(3650)
        .default(365)
        .describe(
          "Days after which Harbor deletes its audit log's entries on pushes, pulls and deletions; 0: never, and the database grows. Scheduled once, like garbageCollection.",
        ),
      adminPassword: secretText
        .min(8, "must have at least 8 characters")
        .optional()
        .describe("First password of `admin` (default: derived). Harbor ignores later changes: change it in Harbor.")
        .meta({ secret: true }),
    })
    .describe("Harbor itself."),
  tls: z
    .strictObject({
      certificate: z.string().describe("PEM certificate of the endpoint with its chain."),
      privateKey: z.string().describe("PEM private key of the certificate.").meta({ secret: true }),
    })
    .optional()
    .describe("Your own certificate for the endpoint. Default: one signed by the CA that `init` makes."),
  docker: z
    .strictObject({
      addressPool: z
        .string()
        .default("172.30.0.0/16")
        .superRefine((value, context) => {
          const problem = addressProblem(value, 16);
          if (problem) context.addIssue({ code: "custom", message: problem });
        })
        .describe(
          "Private /16 network for containers. Must not overlap your networks; its first address is where Harbor finds PgBouncer and Redis. Changing it later needs both nodes rebuilt.",
        ),
    })
    .prefault({})
    .describe("Docker Engine on the nodes."),
  notify: z
    .strictObject({
      command: z
        .string()
        .min(1)
        .optional()
        .describe(
          "Shell command that each node runs as root, with the message as JSON on stdin (`text` is all of it for people). It must be installed on the nodes.",
        ),
      webhook: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe("Address that gets the message as a JSON POST; its `text` suits the usual chat services.")
        .meta({ secret: true }),
    })
    .refine((value) => value.command !== undefined || value.webhook !== undefined, "needs `command` or `webhook`")
    .optional()
    .describe(
      "How people are told that the pair needs them: no primary, degraded, record unreadable, full disk, certificate about to expire, and when it is over. Without it nobody is told; `harbor-ha notify test` tries it.",
    ),
  operations: operations
    .optional()
    .describe(
      "A switchover, failover or rejoin as part of `up`; the command line does the same without Pulumi. The preview says what would be done. It acts once, on the primary it was written for, and never on a new stack.",
    ),
  rootSecret: secretText
    .min(32, "must have at least 32 characters")
    .describe(
      "The one secret others are derived from, made by `init`. Losing it loses the stored credentials inside Harbor; keep it with your backups.",
    )
    .meta({ secret: true }),
  identity: z
    .strictObject({
      tokenKey: z.string().describe("RSA key with which Harbor signs tokens."),
      tokenCertificate: z.string().describe("Certificate of the token key."),
      caKey: z.string().describe("Key of the stack's own CA."),
      caCertificate: z.string().describe("Certificate of the CA; clients trust it unless `tls` is set."),
      certificate: z.string().describe("Certificate of the endpoint, signed by the CA; not used when `tls` is set."),
      privateKey: z.string().describe("Key of the endpoint's certificate."),
      internalCertificate: z.string().describe("Certificate that PostgreSQL shows to PgBouncer and to its standby."),
      internalKey: z.string().describe("Key of that certificate."),
    })
    .describe("Keys and certificates made once by `init`. Never edit.")
    .meta({ secret: true }),
});

export type Config = z.infer<typeof configSchema>;

/** Settings that an option of ours sets. */
const settingOptions: Record<string, string> = {
  max_connections: "postgres.maxConnections",
  max_slot_wal_keep_size: "postgres.maxSlotWalKeepMb",
  shared_buffers: "postgres.sharedBuffersMb",
};

/** Rules that need more than one option; an option that is wrong by itself is absent. */
function crossChecks(config: Partial<Config>): Problem[] {
  const { hostname, target, lab, postgres, pgbouncer, redis, harbor, docker, tls, identity } = config;
  const problems: Problem[] = [...hostsProblems(config), ...aliyunProblems(config)];
  if (pgbouncer && postgres && !postgres.external && 2 * pgbouncer.poolSize + 20 > postgres.maxConnections)
    problems.push({
      path: "pgbouncer.poolSize",
      reason: `two nodes with ${pgbouncer.poolSize} connections each (and 20 for operations) exceed postgres.maxConnections = ${postgres.maxConnections}`,
      remedy: "lower pgbouncer.poolSize or raise postgres.maxConnections",
    });
  for (const name of Object.keys(postgres?.settings ?? {}).filter((name) => ownedSettings.has(name)))
    problems.push({
      path: `postgres.settings.${name}`,
      reason: "belongs to the toolkit: replication and failover rest on it",
      remedy: settingOptions[name] ? `remove it and set ${settingOptions[name]}` : "remove it",
    });
  if (redis?.external?.user && harbor && /^2\.1[34]\./.test(harbor.version))
    problems.push({
      path: "redis.external.user",
      reason: `Harbor ${harbor.version}'s registry ignores it and would not log in`,
      remedy: "use the password of the default user, or Harbor 2.15",
    });
  if (target === "lab" && hostname && lab && isIP(hostname) === 4 && hostname !== hostAddress(lab.subnet, 10))
    problems.push({
      path: "hostname",
      reason: `${hostname} is not the virtual address of the lab`,
      remedy: `use a name, or ${hostAddress(lab.subnet, 10)}`,
    });
  else if (hostname && !tls && identity && !certificateNames(identity.certificate, hostname))
    problems.push({
      path: "hostname",
      reason: `the certificate that \`init\` made does not name ${hostname}`,
      remedy: "go back to the former hostname, or set tls to a certificate with the new one",
    });
  if (target === "lab" && lab && docker && overlap(lab.subnet, docker.addressPool))
    problems.push({
      path: "docker.addressPool",
      reason: `${docker.addressPool} contains lab.subnet ${lab.subnet}`,
      remedy: "choose another private /16 network",
    });
  if (hostname && tls) problems.push(...certificateProblems(tls.certificate, tls.privateKey, hostname));
  return problems;
}

/** Raw values by full key, as Pulumi hands them to a program: strings, objects as JSON. */
export type RawConfig = Record<string, string>;

const project = "harbor-ha";

/**
 * Reads the stack's `harbor-ha:` options.
 * @returns the configuration with defaults, or every problem found, each with property path, reason and remedy.
 */
export function readConfig(raw: RawConfig, of = project): { config: Config } | { problems: Problem[] } {
  const values = valuesOf(raw, of);
  const parsed = configSchema.safeParse(values);
  if (!parsed.success) return { problems: problemsOf(parsed.error, configSchema, values) };
  const problems = crossChecks({ ...absent, ...parsed.data });
  return problems.length > 0 ? { problems } : { config: parsed.data };
}

const optionsSchema = configSchema.omit({ rootSecret: true, identity: true });

/** The configuration without what `init` makes and encrypts. */
export type Options = z.infer<typeof optionsSchema>;

/** The same as `readConfig` without the secrets that `init` makes: what a stack would be. */
export function readOptions(raw: RawConfig): { options: Options } | { problems: Problem[] } {
  const values = valuesOf(raw, project);
  const parsed = optionsSchema.safeParse(values);
  if (!parsed.success) return { problems: problemsOf(parsed.error, optionsSchema, values) };
  const problems = crossChecks({ ...absent, ...parsed.data });
  return problems.length > 0 ? { problems } : { options: parsed.data };
}

/** What was left out, as against what is wrong by itself. */
const absent = { hosts: undefined, aliyun: undefined, record: undefined };

const problemsOf = (error: z.ZodError, schema: z.ZodObject, values: Record<string, unknown>): Problem[] => [
  ...describeIssues(error, schema),
  ...crossChecks(validSections(values)),
];

function valuesOf(raw: RawConfig, project: string): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(raw)) {
    if (!key.startsWith(`${project}:`)) continue;
    const name = key.slice(project.length + 1);
    values[name] = /^\s*[[{]/.test(text) ? parseJson(text) : text;
  }
  return values;
}

/** The top-level options that are right by themselves. */
function validSections(values: Record<string, unknown>): Partial<Config> {
  return Object.fromEntries(
    Object.entries(configSchema.shape).flatMap(([name, schema]) => {
      const { success, data } = schema.safeParse(values[name]);
      return success ? [[name, data]] : [];
    }),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
