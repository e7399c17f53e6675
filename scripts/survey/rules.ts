import { bySeverity, clockSkew, type Diagnosis } from "../doctor/rules.ts";
import type { Survey } from "./facts.ts";
import { infoOf, isError, judgeNode } from "./node-rules.ts";

/** What came of asking a node; `reason` where it gave no answer. */
export interface Visit {
  name: string;
  found?: Survey;
  reason?: string;
}

type Severity = Diagnosis["severity"];

/** Everything that is broken on a pair that this toolkit did not build, and what would break its next failover. Pure. */
export function judge(visits: Visit[]): Diagnosis[] {
  const found = visits.flatMap(({ name, found, reason }) =>
    found
      ? judgeNode(name, found)
      : [
          {
            id: "host.unreachable",
            severity: "critical" as const,
            node: name,
            sentence: `${name} gave no answer: ${reason}`,
            remedy: "try the same login with ssh; it has to be root, or to become it by sudo without a password",
          },
        ],
  );
  const [one, two] = visits;
  const pair = one?.found && two?.found ? judgePair(one.name, one.found, two.name, two.found) : [];
  return bySeverity([...pair, ...found]);
}

/** What follows where the nodes do not have the same. */
const consequences: Record<string, [Severity, string]> = {
  secretkey: [
    "critical",
    "credentials that one stores are garbage on the other: endpoints become unhealthy, LDAP and OIDC fail",
  ],
  "private_key.pem": [
    "critical",
    "tokens of one are refused by the other: logins, pulls and pushes fail at random with 401",
  ],
  CSRF_KEY: ["critical", "the portal's login and changes fail with 403 when clients change nodes"],
  JOBSERVICE_SECRET: ["critical", "jobs that one node queued fail on the other with 401, replications above all"],
  CORE_SECRET: ["warning", "jobs that one node queued may fail on the other"],
  ROBOT_SCANNER_NAME_PREFIX: ["warning", "scans on one count as pulls on the other"],
  images: ["critical", "they do not see the same images: what is pushed to one is not on the other"],
};
const pinned = /^[A-Z_]+$/;

/** Settings of core that have to be the same, and why. */
const sameSettings: Record<string, string> = {
  EXT_ENDPOINT: "tokens and redirects name different addresses",
  WITH_TRIVY: "a core without Trivy removes the scanner from the shared database",
  REGISTRY_STORAGE_PROVIDER_NAME: "they store images in different ways",
  CACHE_ENABLED: "one serves what the other has changed",
  QUOTA_UPDATE_PROVIDER: "quotas are counted in two ways",
  "redis-of-registry": "layers that one has forgotten the other still believes in",
  "redis-of-jobs": "jobs of one are not known to the other",
};

function judgePair(nameOne: string, one: Survey, nameTwo: string, two: Survey): Diagnosis[] {
  const found: Diagnosis[] = [];
  const add = (id: string, severity: Severity, sentence: string, remedy: string) =>
    found.push({ id, severity, sentence, remedy });
  const versions = Object.keys(one.containers)
    .filter((service) => two.containers[service])
    .filter((service) => tag(one, service) !== tag(two, service));
  if (versions.length > 0)
    add(
      "versions.differ",
      "critical",
      `the nodes run different versions of ${versions.map((service) => `${service} (${tag(one, service)}, ${tag(two, service)})`).join(", ")}`,
      "bring both to the same version, one after the other",
    );
  for (const [name, [severity, consequence]] of Object.entries(consequences)) {
    const [a, b] = [one.fingerprints[name], two.fingerprints[name]];
    if (a !== undefined && b !== undefined && a !== b)
      add(
        "nodes.differ",
        severity,
        `the nodes do not have the same ${name}: ${consequence}`,
        name === "images"
          ? "look at what is mounted on each"
          : pinned.test(name)
            ? "prepare makes a new one on each run: pin it for both in docker-compose.override.yml, which prepare leaves alone"
            : "copy it from the node whose data you keep, then restart Harbor on the other",
      );
  }
  for (const [name, consequence] of Object.entries(sameSettings)) {
    const [a = "", b = ""] = [one.settings[name], two.settings[name]];
    if (a !== b)
      add(
        "settings.differ",
        name === "WITH_TRIVY" || name === "EXT_ENDPOINT" ? "critical" : "warning",
        `${name} is "${a}" on ${nameOne} and "${b}" on ${nameTwo}: ${consequence}`,
        "make harbor.yml the same on both, then prepare and restart",
      );
  }
  if (JSON.stringify(one.storage) !== JSON.stringify(two.storage))
    add(
      "storage.differ",
      "critical",
      `images lie in different places: ${placeOf(one)} on ${nameOne}, ${placeOf(two)} on ${nameTwo}`,
      "make storage_service the same on both",
    );
  const identities = [one, two].map(({ database }) => (database && !isError(database) ? database.identity : undefined));
  if (identities[0] && identities[1] && identities[0] !== identities[1])
    add(
      "database.differ",
      "critical",
      "the nodes use different databases: neither knows the other's projects and images",
      "make external_database the same on both",
    );
  const [runOne, runTwo] = [infoOf(one).run_id, infoOf(two).run_id];
  if (runOne && runTwo && runOne !== runTwo)
    add(
      "redis.differ",
      "critical",
      "the nodes use different Redis servers: sessions and jobs of one are not known to the other",
      "make external_redis the same on both",
    );
  found.push(...clockSkew(Math.abs(one.clockAheadSeconds - two.clockAheadSeconds)));
  judgeServers(nameOne, one, nameTwo, two, add);
  return found;
}

/** Of PostgreSQL on the nodes themselves. */
function judgeServers(
  nameOne: string,
  { server: one }: Survey,
  nameTwo: string,
  { server: two }: Survey,
  add: (id: string, severity: Severity, sentence: string, remedy: string) => void,
): void {
  if (!one || !two) return;
  if (one.role === "primary" && two.role === "primary") {
    add(
      "postgres.two-primaries",
      "critical",
      "BOTH nodes run as PostgreSQL primary",
      "find out which one Harbor writes to, stop the other, and keep its data until you know what it holds alone",
    );
    return;
  }
  const [primary, name] = one.role === "primary" ? [one, nameTwo] : [two, nameOne];
  if (primary.role !== "primary") {
    add(
      "postgres.no-primary",
      "critical",
      "neither node runs as PostgreSQL primary",
      "promote the one that holds more",
    );
    return;
  }
  const streaming = primary.standbys.filter(({ state }) => state === "streaming");
  if (streaming.length === 0)
    add(
      "postgres.standby-away",
      "critical",
      `${name} does not stream from the primary: a failover to it would lose what it lacks`,
      `look at PostgreSQL's log on ${name}`,
    );
  else if (!streaming.some(({ syncState }) => syncState === "sync" || syncState === "quorum"))
    add(
      "postgres.not-synchronous",
      "warning",
      `commits do not wait for ${name}: a failover may lose what was acknowledged last`,
      "set synchronous_standby_names, or accept the loss",
    );
}

const tag = ({ containers }: Survey, service: string) => containers[service]?.image.split(":").at(-1) ?? "";
const placeOf = ({ storage: { driver, place } }: Survey) =>
  [driver, ...Object.entries(place).map(([name, value]) => `${name} ${value}`)].join(", ") || "nowhere known";

/** Who is what, for people. */
export function table(visits: Visit[]): string[][] {
  return [
    ["NODE", "HARBOR", "DATABASE", "REDIS", "IMAGES", "POSTGRESQL HERE"],
    ...visits.map(({ name, found }) => {
      if (!found) return [name, "unreachable", "?", "?", "?", "?"];
      const { database, containers, redis, mounts, server, ping, settings } = found;
      const db = !database
        ? "not asked"
        : isError(database)
          ? "fails"
          : database.written
            ? "writable"
            : "takes no writes";
      const info = infoOf(found);
      return [
        name,
        found.harbor === "there" ? `${tag(found, "core")} ${ping === 200 ? "serves" : "silent"}` : found.harbor,
        containers.postgresql ? "its own" : `${settings.POSTGRESQL_HOST ?? "?"}, ${db}`,
        containers.redis ? "its own" : isError(redis) ? "fails" : (info.role ?? "not asked"),
        found.storage.driver === "filesystem" ? (mounts.images?.type ?? "?") : placeOf(found),
        server
          ? `${server.role}${server.role === "standby" ? (server.receiving ? ", streams" : ", does not stream") : ""}`
          : "",
      ];
    }),
  ];
}
