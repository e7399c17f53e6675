import type { Diagnosis } from "../doctor/rules.ts";
import type { Mount, Survey } from "./facts.ts";

type Judgement = [sentence: string, remedy: string];

const certificateDays = 30;

const networked = ({ type }: Mount) =>
  /^(nfs\d?|cifs|smb3|ceph|glusterfs|lustre|gfs2|ocfs2|9p|virtiofs|fuse(\..*)?)$/.test(type);

/** Containers that Docker itself starts at boot. */
const startedAtBoot = (containers: Survey["containers"]) =>
  Object.values(containers).filter(({ restart }) => restart === "always" || restart === "unless-stopped");

/** One row a condition: its id, how bad it is, and what is said of a node for which it holds. */
const nodeRules: [
  id: string,
  severity: Diagnosis["severity"],
  (survey: Survey) => Judgement | Judgement[] | undefined | false,
][] = [
  [
    "harbor.hidden",
    "critical",
    ({ harbor }) => harbor === "hidden" && ["Docker does not answer", "systemctl status docker"],
  ],
  [
    "harbor.missing",
    "critical",
    ({ harbor }) =>
      harbor === "missing" && ["no container of Harbor's is there", "docker compose up -d in Harbor's directory"],
  ],
  [
    "container.down",
    "critical",
    ({ containers, home }) => {
      const down = Object.entries(containers).filter(([, { state }]) => state !== "running");
      const names = down.map(([service, { state }]) => `${service} (${state})`);
      return down.length > 0 && [`these services do not run: ${names.join(", ")}`, `docker compose up -d in ${home}`];
    },
  ],
  [
    "harbor.silent",
    "critical",
    ({ harbor, ping }) =>
      harbor === "there" &&
      ping !== 200 && [
        `Harbor ${ping === 0 ? "does not answer" : `answers ${ping}`} to its ping`,
        "look at the logs of core; if core is well, restart the service proxy, which keeps core's former address",
      ],
  ],
  [
    "harbor.component",
    "critical",
    ({ sick = {}, home }) =>
      Object.entries(sick).map(
        ([name, error]): Judgement => [
          `Harbor's ${name} is not healthy (${error})`,
          `docker compose logs ${name} in ${home}`,
        ],
      ),
  ],
  [
    "secretkey.length",
    "critical",
    ({ secretkeyBytes }) =>
      secretkeyBytes !== undefined &&
      secretkeyBytes !== 16 && [
        `secretkey has ${secretkeyBytes} bytes, not 16: credentials that Harbor stores cannot be used, and prepare fails`,
        "bring the original file back; often it is a newline at its end",
      ],
  ],
  [
    "database.own",
    "critical",
    ({ containers }) =>
      containers.postgresql && [
        "Harbor uses a database of its own on this node: the nodes do not share one, and a loss of the node is a loss of its data",
        "move both to one external_database",
      ],
  ],
  [
    "database.unreachable",
    "critical",
    ({ database }) =>
      isError(database) && [
        `the database could not be used as Harbor uses it: ${database.error}`,
        "look at the database, its route and its login",
      ],
  ],
  [
    "database.no-write",
    "critical",
    ({ database }) =>
      database &&
      !isError(database) &&
      (database.inRecovery || database.readOnly || !database.written) && [
        `the database takes no writes (${database.inRecovery ? "a standby answers" : "it is read-only, or a commit waits"}): pushes fail, and Harbor's own health does not notice`,
        "lead external_database to the primary",
      ],
  ],
  [
    "database.unasked",
    "notice",
    ({ harbor, database, containers }) =>
      harbor === "there" &&
      !database &&
      !containers.postgresql && [
        "the database was not asked: this host has no psql",
        "install postgresql-client to have writes and identity of the database checked",
      ],
  ],
  [
    "database.lasting",
    "warning",
    ({ settings }) =>
      settings.POSTGRESQL_CONN_MAX_LIFETIME === "0" && [
        "connections to the database live for ever (conn_max_lifetime is 0): after a failover some lead to the former primary",
        "set external_database.harbor.conn_max_lifetime to 5m",
      ],
  ],
  [
    "database.unlimited",
    "notice",
    ({ settings }) =>
      settings.POSTGRESQL_MAX_OPEN_CONNS === "0" && [
        "nothing limits the connections to the database (max_open_conns is 0)",
        "set external_database.harbor.max_open_conns: core and jobservice of both nodes each use so many",
      ],
  ],
  [
    "redis.own",
    "critical",
    ({ containers }) =>
      containers.redis && [
        "Harbor uses a Redis of its own on this node: sessions and jobs of one node are not known to the other",
        "move both to one external_redis",
      ],
  ],
  [
    "redis.unreachable",
    "critical",
    ({ redis }) =>
      isError(redis) && [`Redis could not be used: ${redis.error}`, "look at Redis, its route and its password"],
  ],
  [
    "redis.replica",
    "critical",
    (survey) =>
      infoOf(survey).role === "slave" && [
        "a replica of Redis answers, which takes no writes",
        "lead external_redis to the master",
      ],
  ],
  [
    "redis.cluster",
    "critical",
    (survey) =>
      infoOf(survey).cluster_enabled === "1" && [
        "Redis is a cluster, which Harbor cannot use",
        "use one without cluster mode",
      ],
  ],
  [
    "redis.evicts",
    "warning",
    (survey) => {
      const { maxmemory_policy = "noeviction", maxmemory = "0" } = infoOf(survey);
      return (
        maxmemory !== "0" &&
        maxmemory_policy !== "noeviction" && [
          `Redis drops what it holds when memory is full (maxmemory-policy ${maxmemory_policy}): sessions and jobs get lost`,
          "set maxmemory-policy to noeviction",
        ]
      );
    },
  ],
  [
    "redis.memory",
    "warning",
    (survey) => {
      const { used_memory = "0", maxmemory = "0" } = infoOf(survey);
      const used = Number(used_memory) / Number(maxmemory);
      return (
        maxmemory !== "0" &&
        used > 0.8 && [
          `Redis uses ${Math.round(used * 100)} % of its memory: at the limit logins and jobs fail`,
          "raise maxmemory",
        ]
      );
    },
  ],
  [
    "storage.own",
    "warning",
    ({ storage, mounts: { images } }) =>
      storage.driver === "filesystem" &&
      images &&
      !networked(images) && [
        `images lie on a local file system (${images.type} at ${images.target}): unless it is shared beneath, each node has its own, and one loses what was pushed to the other`,
        "move them to NFS or an object store",
      ],
  ],
  [
    "storage.hangs",
    "critical",
    ({ imagesHang }) =>
      imagesHang && [
        "the directory of images does not answer within 5 s",
        "look at the share; a hard mount waits for its server",
      ],
  ],
  [
    "storage.soft",
    "warning",
    ({ mounts: { images } }) =>
      images?.type.startsWith("nfs") &&
      images.options.includes("soft") && [
        "the share of images is mounted soft: a write that times out is lost in the middle of a layer",
        "mount it hard",
      ],
  ],
  [
    "data.shared",
    "warning",
    ({ mounts: { data } }) =>
      data &&
      networked(data) && [
        `all of Harbor's data volume lies on ${data.type}: prepare on one node removes certificates that the other has mounted`,
        "keep the data volume local, and share only its directories registry and, for logs in files, job_logs",
      ],
  ],
  [
    "logs.local",
    "warning",
    ({ loggers, mounts: { logs } }) =>
      loggers.length > 0 &&
      !loggers.includes("DB") &&
      logs &&
      !networked(logs) && [
        "logs of jobs lie in files of this node: through the other one they are not found",
        "set jobservice.job_loggers to DATABASE",
      ],
  ],
  [
    "boot.unordered",
    "warning",
    ({ containers, boots, home }) =>
      boots.length === 0 &&
      startedAtBoot(containers).some(({ logDriver }) => logDriver === "syslog") && [
        "after a reboot some services may stay down: their log container is not there yet when Docker starts them",
        `enable a systemd unit that repeats docker compose up -d in ${home} until all run`,
      ],
  ],
  [
    "boot.before-images",
    "warning",
    ({ containers, waitsForImages, mounts: { images } }) =>
      !waitsForImages &&
      images &&
      networked(images) &&
      startedAtBoot(containers).length > 0 && [
        `Docker starts Harbor at boot whether ${images.target} is mounted or not: without it images go to the local disk, silently`,
        `RequiresMountsFor=${images.target} in a drop-in of docker.service`,
      ],
  ],
  [
    "certificate.expires",
    "warning",
    ({ certificateDays: days }) =>
      days !== undefined &&
      days < certificateDays && [
        `Harbor's certificate ${days < 0 ? "has expired" : `expires in ${Math.floor(days)} days`}`,
        "give both nodes a new one",
      ],
  ],
  [
    "disk.full",
    "warning",
    ({ disks }) =>
      Object.entries(disks)
        .filter(([, percent]) => percent >= 80)
        .map(([mount, percent]): Judgement => [`${mount} is ${percent} % full`, "free space or enlarge it"]),
  ],
  [
    "clock.unsynchronized",
    "warning",
    ({ synchronized }) => !synchronized && ["nothing keeps its clock", "install chrony"],
  ],
  [
    "unit.failed",
    "warning",
    ({ failedUnits }) => failedUnits.map((unit): Judgement => [`${unit} has failed`, `systemctl status ${unit}`]),
  ],
  [
    "slot.unlimited",
    "warning",
    ({ server }) =>
      server?.keepBytes === null &&
      server.slots.length > 0 && [
        "PostgreSQL keeps WAL for an absent standby without a limit, until its disk is full",
        "set max_slot_wal_keep_size",
      ],
  ],
  [
    "slot.bloated",
    "warning",
    ({ server }) =>
      (server?.slots ?? [])
        .filter(({ active, keptBytes }) => !active && keptBytes > (server?.keepBytes ?? 1e9) * 0.7)
        .map(
          ({ name, keptBytes }): Judgement => [
            `PostgreSQL keeps ${Math.round(keptBytes / 1e6)} MB of WAL for ${name}, which does not fetch it`,
            "bring the standby back, or drop the slot if nobody uses it",
          ],
        ),
  ],
];

/** Whether a server could not be asked. */
export const isError = (answer: Survey["redis"] | Survey["database"]): answer is { error: string } =>
  answer !== undefined && "error" in answer;
/** What Redis says of itself; nothing where it was not asked or did not answer. */
export const infoOf = ({ redis }: Survey): Record<string, string> => (redis && !isError(redis) ? redis : {});

/** Everything that is wrong with one node of a pair that this toolkit did not build. Pure. */
export function judgeNode(node: string, survey: Survey): Diagnosis[] {
  return nodeRules.flatMap(([id, severity, rule]) => {
    const said = rule(survey) || [];
    const judgements = (typeof said[0] === "string" ? [said] : said) as Judgement[];
    return judgements.map(([sentence, remedy]) => ({ id, severity, node, sentence: `${node}: ${sentence}`, remedy }));
  });
}
