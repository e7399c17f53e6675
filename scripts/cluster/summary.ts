import { styleText } from "node:util";
import type { Inventory } from "../../components/model/inventory.ts";
import { type RecordEntry, settled } from "../../components/model/record.ts";
import { dataServices, virtualAddressOf } from "../../components/model/topology.ts";
import { observedUnits } from "../../components/model/units.ts";
import { columns } from "../columns.ts";
import { holdsEndpoint, type NodeObservation, newestEntry, type Observation } from "./observe.ts";

/** One thing that is not as it should be. */
export interface Finding {
  id: string;
  node?: string;
  sentence: string;
}

export interface Summary {
  endpoint: string;
  healthy: boolean;
  /** Whether a host could not be asked: what is not known may be fine or not. */
  unknown: boolean;
  findings: Finding[];
  /** The newest entry of the cluster record that a node reads. */
  record?: Pick<RecordEntry, "epoch" | "kind" | "primary" | "sync" | "timeline" | "at">;
  nodes: NodeObservation[];
  /** The table for people. */
  text: string;
}

/** What an observation means, with findings of a closer look. Pure. */
export function summarize(inventory: Inventory, observation: Observation, closer: Finding[] = []): Summary {
  const nodes = inventory.topology.nodes.map(
    ({ name }) =>
      observation[name] ?? {
        name,
        reach: inventory.absent?.includes(name) ? ("absent" as const) : ("unknown" as const),
      },
  );
  const findings = [
    ...nodes.flatMap((node) => nodeFindings(inventory, node)),
    ...pairFindings(inventory, nodes),
    ...closer,
  ];
  const newest = newestEntry(nodes);
  const endpoint = `https://${inventory.topology.hostname}`;
  const summary = {
    endpoint,
    healthy: findings.length === 0,
    unknown: nodes.some(({ reach }) => reach !== "up" && reach !== "absent"),
    findings,
    ...(newest ? { record: newest } : {}),
    nodes,
  };
  return { ...summary, text: table(inventory, summary) };
}

function nodeFindings(inventory: Inventory, node: NodeObservation): Finding[] {
  const { name, host } = node;
  if (node.reach === "absent")
    return [
      {
        id: "host.absent",
        node: name,
        sentence: `${name} is left alone: nodes.${name}.absent is set, so one loss is the end`,
      },
    ];
  if (!host)
    return [
      {
        id: "host.unreachable",
        node: name,
        sentence: `${name} is ${node.reach}${node.reason ? `: ${node.reason}` : ""}`,
      },
    ];
  const found: Finding[] = [];
  const add = (id: string, sentence: string) => found.push({ id, node: name, sentence: `${name}: ${sentence}` });
  // systemd skips chrony on the lab, whose hosts share this machine's clock.
  const runs = dataServices(inventory.topology);
  const elsewhere = [
    ...(runs.includes("postgres") ? [] : ["postgresql@17-main"]),
    ...(runs.includes("redis") ? [] : ["redis-server"]),
    ...(virtualAddressOf(inventory.topology) ? [] : ["keepalived"]),
  ];
  for (const unit of observedUnits.filter((unit) => !elsewhere.includes(unit)))
    if (host.units[unit] !== "active" && host.units[unit] !== "skipped")
      add("unit.down", `${unit} is ${host.units[unit]}`);
  for (const unit of host.restartNeeded)
    add("restart.needed", `${unit} has new settings that need a restart (harbor-ha roll)`);
  for (const setting of node.postgres?.pendingRestart ?? [])
    add("restart.needed", `PostgreSQL setting ${setting} needs a restart (harbor-ha roll)`);
  const { belief } = host.record;
  if (belief.state === "unreadable") add("record.unreadable", `the cluster record cannot be trusted: ${belief.reason}`);
  if (belief.state === "none" && runs.length > 0) add("record.none", "there is no cluster record yet (harbor-ha roll)");
  for (const [service, { role, boot }] of Object.entries({ PostgreSQL: host.postgres, Redis: host.redis }))
    if (role === "down" && boot.start === "no" && runs.includes(service === "Redis" ? "redis" : "postgres"))
      add(boot.rule, `${service} stays down: ${boot.sentence} (${boot.remedy})`);
  const { database, redis } = host.unreachable;
  if (database) add("external.database", `the database is out of reach: ${database}`);
  if (redis) add("external.redis", `Redis is out of reach: ${redis}`);
  if (!host.storage.ok) add("storage.wrong", host.storage.reason);
  if (host.harbor.installed !== inventory.harbor.installer.sha256)
    add("harbor.installer", `Harbor ${inventory.harbor.version} is not installed yet (harbor-ha roll)`);
  if (!host.harbor.answers) add("harbor.silent", "Harbor does not answer");
  if (host.maintenance) add("host.maintenance", "somebody works on it (harbor-ha maintenance)");
  if (host.harbor.drained) add("harbor.drained", "clients are held off this node");
  return found;
}

function pairFindings(inventory: Inventory, nodes: NodeObservation[]): Finding[] {
  const found: Finding[] = [];
  const add = (id: string, sentence: string) => found.push({ id, sentence });
  const ofThose = those(nodes);
  const newest = newestEntry(nodes);
  const services = dataServices(inventory.topology);
  if (newest && !settled(newest))
    add(
      "record.under-way",
      `entry ${newest.epoch} of the record is an intent that nobody has finished (by ${newest.by}, ${newest.at})`,
    );
  if (services.includes("postgres")) found.push(...postgresFindings(nodes, newest));
  if (services.includes("redis")) found.push(...redisFindings(nodes));
  const ids = new Set(nodes.flatMap((node) => node.host?.storage.id || []));
  if (ids.size > 1) add("storage.different", "the nodes see different shared storages");
  const address = virtualAddressOf(inventory.topology);
  const holders = nodes.filter((node) => holdsEndpoint(inventory, node));
  if (address && holders.length !== 1)
    add("endpoint.holders", `${holders.length} nodes${ofThose} hold the virtual address ${address}`);
  return found;
}

/** What a node that does not answer is, nobody knows. */
const those = (nodes: NodeObservation[]) => (nodes.every(({ host }) => host) ? "" : " of those that answer");

function postgresFindings(nodes: NodeObservation[], newest?: RecordEntry): Finding[] {
  const found: Finding[] = [];
  const add = (id: string, sentence: string) => found.push({ id, sentence });
  const ofThose = those(nodes);
  const primaries = nodes.filter((node) => node.host?.postgres.role === "primary");
  if (primaries.length > 1) add("postgres.two-primaries", "BOTH nodes run as PostgreSQL primary");
  if (primaries.length === 0) add("postgres.no-primary", `no node${ofThose} runs as PostgreSQL primary`);
  const [primary] = primaries;
  if (primaries.length === 1 && primary) {
    const standby = nodes.find((node) => node !== primary);
    const state = primary.postgres?.standbys.find(({ name }) => name === standby?.name);
    const waits = primary.postgres?.synchronousStandbyNames !== "";
    if (newest && settled(newest) && newest.primary !== primary.name)
      add(
        "record.other-primary",
        `${primary.name} runs as primary, but entry ${newest.epoch} of the record names ${newest.primary}`,
      );
    if (!primary.postgres)
      add("postgres.unknown", `PostgreSQL on ${primary.name} runs, but could not be asked about its standby`);
    else if (state?.state !== "streaming")
      add(
        "postgres.standby-away",
        `${standby?.name} does not stream from ${primary.name}: writes ${waits ? "WAIT for it" : `go on without it, so a failover to it would lose them`}`,
      );
    else if (state.syncState !== "sync" || (newest?.primary === primary.name && newest.sync.length === 0))
      add("postgres.not-synchronous", `${standby?.name} streams, but does not yet hold all that was acknowledged`);
  }
  return found;
}

function redisFindings(nodes: NodeObservation[]): Finding[] {
  const found: Finding[] = [];
  const add = (id: string, sentence: string) => found.push({ id, sentence });
  const ofThose = those(nodes);
  const masters = nodes.filter((node) => node.redis?.role === "master");
  if (masters.length !== 1) add("redis.masters", `${masters.length} nodes${ofThose} run as Redis master`);
  for (const node of nodes)
    if (node.redis?.role === "slave" && !node.redis.linkUp)
      add("redis.link", `Redis on ${node.name} has lost its master`);
  return found;
}

/** Another installer than the stack's is a finding; its version nobody knows. */
const versionOf = ({ harbor }: Inventory, { host }: NodeObservation) =>
  host?.harbor.installed === harbor.installer.sha256 ? `${harbor.version} ` : "";

function table(inventory: Inventory, summary: Omit<Summary, "text">): string {
  const services = dataServices(inventory.topology);
  const rows = [["NODE", "POSTGRESQL", "REDIS", "HARBOR", "ENDPOINT"]];
  for (const node of summary.nodes) {
    const { host } = node;
    if (!host) {
      rows.push([node.name, node.reach, "?", "?", "?"]);
      continue;
    }
    const standby = summary.nodes
      .flatMap((other) => other.postgres?.standbys ?? [])
      .find(({ name }) => name === node.name);
    const lag =
      standby && node.host?.postgres.role === "standby"
        ? ` ${standby.syncState}, ${standby.lagBytes} bytes behind`
        : "";
    rows.push([
      node.name,
      services.includes("postgres") ? `${host.postgres.role}${lag}` : "yours",
      services.includes("redis") ? (host.redis.role === "slave" ? "replica" : host.redis.role) : "yours",
      `${versionOf(inventory, node)}${host.harbor.answers ? "serves" : "silent"}${host.harbor.standIn ? " (stand-in)" : ""}${host.harbor.drained ? ", drained" : ""}`,
      holdsEndpoint(inventory, node) ? "holds" : "",
    ]);
  }
  const lines = columns(rows);
  const verdict = summary.healthy
    ? styleText("green", "healthy")
    : [
        styleText("red", summary.unknown ? "not healthy, or not known to be" : "not healthy"),
        ...summary.findings.map(({ id, sentence }) => `  ${sentence} [${id}]`),
      ].join("\n");
  const { record } = summary;
  const said = record
    ? [
        `Record: entry ${record.epoch}, ${record.kind} at ${record.at}: ${record.primary} is ${record.kind === "intent" ? "to be " : ""}the primary, timeline ${record.timeline ?? "-"}, in sync: ${record.sync.join() || "nobody"}`,
      ]
    : [];
  return [`${summary.endpoint}: ${verdict}`, ...lines, ...said].join("\n");
}
