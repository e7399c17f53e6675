import type { HostFacts } from "../../components/model/host-facts.ts";
import type { Inventory } from "../../components/model/inventory.ts";
import type { NodeObservation, Observation } from "../cluster/observe.ts";

/** One thing to do on one node. */
export interface Step {
  kind: "step";
  /** Id of the rule that fired; followed by the node for a rule that fires once in a run on each node. */
  rule: string;
  node: string;
  action:
    | { do: "script"; program: string; args: string[] }
    | { do: "deliver" }
    | { do: "storage-proof" }
    | { do: "wait-streaming" }
    | { do: "restart-unit"; unit: string }
    | { do: "start-unit"; unit: string }
    | { do: "take-endpoint" }
    | { do: "harbor"; verb: "install" | "restart"; drain: boolean };
  /** Said before it is done. */
  sentence: string;
}

/** A state in which going on could lose or fork data, or in which nothing can be done from here. */
export interface Refusal {
  kind: "refusal";
  rule: string;
  sentence: string;
  remedy: string;
  exitCode: 2 | 3;
}

/** What `roll` does next. Undefined: nothing is left. `done` holds the rules that fire once in a run. */
export type Decision = Step | Refusal | undefined;

interface Facts {
  inventory: Inventory;
  nodes: NodeObservation[];
  /** The node whose data is a primary's, whether it runs or not; undefined: none, or not exactly one. */
  primary?: NodeObservation;
  standby?: NodeObservation;
  done: ReadonlySet<string>;
}

interface Rule {
  id: string;
  decide: (facts: Facts) => Omit<Step, "kind" | "rule"> | Omit<Refusal, "kind" | "rule"> | undefined;
}

/** Rules that fire once in a run on each node, not once for both. */
const oncePerNode = new Set(["harbor.silent"]);

const data = (node: NodeObservation) => node.host?.postgres.data;
const runs = (node: NodeObservation) => node.host?.postgres.role !== "down";
const isStandbyData = (node: NodeObservation) => node.host?.postgres.standbySignal === true;
const address = ({ inventory }: Facts, name: string) =>
  inventory.topology.nodes.find((node) => node.name === name)?.address ?? "";
const marked = (node: NodeObservation, unit: string) => node.host?.restartNeeded.includes(unit) === true;
const answers = (node: NodeObservation) => node.host?.harbor.answers === true;
const script = (program: string, ...args: string[]) => ({ do: "script", program, args }) as const;

const postgresUnit = "postgresql@17-main.service";
const redisUnit = "redis-server.service";
const harborUnit = "harbor-ha-harbor.service";
const dockerUnit = "docker.service";
/** What role.conf of the Redis master says. */
const redisMaster = "# master";

/** First match wins, top to bottom; every step leads to another observation. */
export const rules: Rule[] = [
  {
    id: "host.unreachable",
    decide: ({ nodes }) => {
      const gone = nodes.find((node) => node.reach !== "up");
      return (
        gone && {
          sentence: `${gone.name} is ${gone.reach === "unknown" ? "reachable, but cannot be read" : "unreachable"}${gone.reason ? ` (${gone.reason})` : ""}.`,
          remedy: "bring it back (on the lab: harbor-ha lab poweron), then run harbor-ha roll",
          exitCode: 3,
        }
      );
    },
  },
  {
    id: "storage.claim",
    decide: ({ nodes }) => {
      const node = nodes.find((node) => node.host?.storage.id === "");
      return (
        node && {
          node: node.name,
          action: script("storage-guard.sh", "claim"),
          sentence: `claim the shared storage on ${node.name}`,
        }
      );
    },
  },
  {
    id: "storage.refused",
    decide: ({ nodes }) => {
      const node = nodes.find((node) => node.host?.storage.ok === false);
      return (
        node && {
          sentence: `${node.name}: ${node.host?.storage.reason}.`,
          remedy: "Harbor stays as it is until the storage is right",
          exitCode: 2,
        }
      );
    },
  },
  {
    id: "storage.proof",
    decide: ({ nodes, done }) => {
      const [first] = nodes;
      const harborStays = nodes.every(
        (node) => node.host?.units["harbor-ha-harbor"] === "active" && !marked(node, harborUnit),
      );
      if (harborStays || done.has("storage.proof") || !first) return undefined;
      return {
        node: first.name,
        action: { do: "storage-proof" },
        sentence: "prove that both nodes see the same storage",
      };
    },
  },
  {
    id: "postgres.unknown-data",
    decide: ({ nodes }) => {
      const node = nodes.find((node) => data(node) === "unknown");
      return (
        node && {
          sentence: `${node.name}: PostgreSQL's data directory holds files that are no database.`,
          remedy: "look at it by hand; nothing in it was touched",
          exitCode: 2,
        }
      );
    },
  },
  {
    id: "postgres.contradiction",
    decide: ({ nodes }) => {
      const node = nodes.find((node) => node.host && contradicts(node.host.postgres));
      return (
        node && {
          sentence: `${node.name}: PostgreSQL runs as ${node.host?.postgres.role}, but its data directory ${
            data(node) === "empty" ? "is empty" : isStandbyData(node) ? "is a standby's" : "is a primary's"
          }.`,
          remedy:
            "run the same command again in a moment; if it stays so, look at it by hand: roll starts nothing beside it",
          exitCode: 2,
        }
      );
    },
  },
  {
    id: "postgres.two-primaries",
    decide: ({ nodes }) =>
      nodes.every((node) => data(node) === "present" && !isStandbyData(node))
        ? {
            sentence: `Both nodes hold a primary's data (running: ${
              nodes
                .filter(runs)
                .map((node) => node.name)
                .join(", ") || "none"
            }).`,
            remedy: "decide which one is right; the other has to be rejoined as standby. roll starts neither",
            exitCode: 2,
          }
        : undefined,
  },
  {
    id: "postgres.no-primary",
    decide: ({ nodes }) =>
      nodes.some(isStandbyData) && nodes.every((node) => isStandbyData(node) || data(node) === "empty")
        ? {
            sentence: `No node holds a primary's data: ${nodes.map((node) => `${node.name} ${isStandbyData(node) ? "is a standby" : "is empty"}`).join(", ")}.`,
            remedy: "a standby has to be promoted by an operator's decision; roll never does that",
            exitCode: 2,
          }
        : undefined,
  },
  {
    id: "postgres.initialise",
    decide: ({ nodes, inventory }) =>
      nodes.every((node) => data(node) === "empty")
        ? {
            node: inventory.topology.initialPrimary,
            action: script("postgres.sh", "initialise"),
            sentence: `initialise the first, empty database on ${inventory.topology.initialPrimary}`,
          }
        : undefined,
  },
  {
    id: "postgres.start-primary",
    decide: ({ primary }) =>
      primary && !runs(primary)
        ? {
            node: primary.name,
            action: script("postgres.sh", "start"),
            sentence: `start PostgreSQL on ${primary.name}, whose data is the primary's`,
          }
        : undefined,
  },
  {
    id: "postgres.prepare",
    decide: ({ primary, standby, done }) =>
      primary && standby && data(standby) === "empty" && !done.has("postgres.prepare")
        ? {
            node: primary.name,
            action: script("postgres.sh", "prepare", standby.name),
            sentence: `roles, database and the slot of ${standby.name} on ${primary.name}`,
          }
        : undefined,
  },
  {
    id: "postgres.clone",
    decide: (facts) => {
      const { primary, standby } = facts;
      return primary && standby && data(standby) === "empty"
        ? {
            node: standby.name,
            action: script("postgres.sh", "clone", address(facts, primary.name), standby.name),
            sentence: `copy the database from ${primary.name} to ${standby.name}`,
          }
        : undefined;
    },
  },
  {
    id: "postgres.start-standby",
    decide: ({ standby }) =>
      standby && !runs(standby)
        ? {
            node: standby.name,
            action: script("postgres.sh", "start"),
            sentence: `start PostgreSQL on ${standby.name} as standby`,
          }
        : undefined,
  },
  {
    id: "postgres.wait-streaming",
    decide: ({ primary, standby }) =>
      primary && standby && !streams(primary, standby)
        ? {
            node: primary.name,
            action: { do: "wait-streaming" },
            sentence: `wait until ${standby.name} streams from ${primary.name}`,
          }
        : undefined,
  },
  {
    id: "postgres.synchronous",
    decide: ({ primary, standby }) =>
      primary && standby && primary.postgres?.synchronousStandbyNames !== `"${standby.name}"`
        ? {
            node: primary.name,
            action: script("postgres.sh", "synchronous", standby.name),
            sentence: `commits on ${primary.name} wait for ${standby.name} from now on`,
          }
        : undefined,
  },
  {
    id: "postgres.restart",
    decide: ({ primary, standby }) => {
      if (!primary || !standby) return undefined;
      // Standby first; but a lowered limit must reach the primary first, or the standby would refuse to start.
      const order = primary.postgres?.lowered ? [primary, standby] : [standby, primary];
      const node = order.find((node) => marked(node, postgresUnit) || (node.postgres?.pendingRestart.length ?? 0) > 0);
      return (
        node && {
          node: node.name,
          action: script("postgres.sh", "restart"),
          sentence: `restart PostgreSQL on ${node.name} (${node === primary ? "primary" : "standby"}) for changed settings`,
        }
      );
    },
  },
  {
    id: "redis.masters",
    decide: ({ nodes, primary }) => {
      const masters = nodes.filter((node) => node.host?.redis.configured === redisMaster);
      if (masters.length === 1) return undefined;
      // At the very first roll the primary's node becomes the master; a new master beside a replica would take its data.
      if (masters.length === 0 && primary?.host?.redis.configured === "") return undefined;
      return {
        sentence: `${masters.length === 0 ? "No node is" : "Both nodes are"} to be the Redis master.`,
        remedy:
          "decide which one it is, and make the other its replica: redis.sh role on the node, then harbor-ha roll",
        exitCode: 2,
      };
    },
  },
  {
    id: "redis.role",
    decide: (facts) => {
      const { nodes, primary } = facts;
      const node = nodes.find((node) => node.host?.redis.configured === "");
      if (!node || !primary) return undefined;
      // A master that another node follows stays where it is; the first one goes beside the PostgreSQL primary.
      const master = nodes.find((other) => other.host?.redis.configured === redisMaster)?.name ?? primary.name;
      const args = node.name === master ? [] : [address(facts, master)];
      return {
        node: node.name,
        action: script("redis.sh", "role", ...args),
        sentence: `Redis on ${node.name} is the ${args.length > 0 ? "replica" : "master"}`,
      };
    },
  },
  {
    id: "redis.start",
    decide: ({ nodes }) => {
      const down = nodes.filter((node) => node.host?.redis.role === "down");
      const node = down.find((node) => node.host?.redis.configured === redisMaster) ?? down[0];
      return node && { node: node.name, action: script("redis.sh", "start"), sentence: `start Redis on ${node.name}` };
    },
  },
  {
    id: "redis.restart",
    decide: ({ nodes }) => {
      const waiting = nodes.filter((node) => marked(node, redisUnit));
      const node = waiting.find((node) => node.host?.redis.role === "slave") ?? waiting[0];
      return (
        node && {
          node: node.name,
          action: script("redis.sh", "restart"),
          sentence: `restart Redis on ${node.name} for changed settings`,
        }
      );
    },
  },
  {
    id: "unit.restart",
    decide: ({ nodes }) => {
      for (const node of nodes) {
        const unit = node.host?.restartNeeded.find(
          (unit) =>
            ![postgresUnit, redisUnit, harborUnit].includes(unit) &&
            // Harbor's unit requires Docker's, and goes down and up with it.
            (unit !== dockerUnit || mayPause(nodes, node)),
        );
        if (unit)
          return {
            node: node.name,
            action: { do: "restart-unit", unit },
            sentence: `restart ${unit} on ${node.name} for changed settings`,
          };
      }
      return undefined;
    },
  },
  {
    id: "unit.start",
    decide: ({ nodes }) => {
      for (const node of nodes)
        for (const unit of ["docker", "harbor-ha-agent", "haproxy", "pgbouncer", "keepalived"])
          if (node.host?.units[unit] !== "active")
            return {
              node: node.name,
              action: { do: "start-unit", unit: `${unit}.service` },
              sentence: `start ${unit} on ${node.name}`,
            };
      return undefined;
    },
  },
  {
    id: "endpoint.first",
    decide: ({ nodes, inventory, primary }) => {
      // Only before the first client: later the virtual address stays where it is.
      const fresh = nodes.every((node) => node.host?.harbor.installed === "");
      if (!fresh || !primary || primary.host?.addresses.includes(inventory.topology.virtualAddress)) return undefined;
      return {
        node: primary.name,
        action: { do: "take-endpoint" },
        sentence: `the virtual address begins on ${primary.name}, beside the data`,
      };
    },
  },
  {
    id: "harbor.deliver",
    decide: ({ nodes, inventory }) => {
      const { sha256 } = inventory.harbor.installer;
      const node = nodes.find(
        (node) => node.host?.harbor.installed !== sha256 && !node.host?.harbor.received.includes(sha256),
      );
      return (
        node && {
          node: node.name,
          action: { do: "deliver" },
          sentence: `bring Harbor ${inventory.harbor.version}'s installer to ${node.name}`,
        }
      );
    },
  },
  {
    id: "harbor.install",
    decide: ({ nodes, inventory }) => {
      // One core after the other: the first one migrates the schema.
      const node = nodes.find(
        (node) => node.host?.harbor.installed !== inventory.harbor.installer.sha256 && mayPause(nodes, node),
      );
      return (
        node && {
          node: node.name,
          action: { do: "harbor", verb: "install", drain: serving(nodes, node) },
          sentence: `install Harbor on ${node.name}`,
        }
      );
    },
  },
  {
    id: "harbor.start",
    decide: ({ nodes }) => {
      const node = nodes.find((node) => node.host?.units["harbor-ha-harbor"] !== "active" && !marked(node, harborUnit));
      return (
        node && {
          node: node.name,
          // A start alone would leave out settings that came while it was down; a start under way has them.
          action:
            node.host?.units["harbor-ha-harbor"] === "activating"
              ? { do: "start-unit", unit: harborUnit }
              : { do: "harbor", verb: "restart", drain: false },
          sentence: `start Harbor on ${node.name}`,
        }
      );
    },
  },
  {
    id: "harbor.restart",
    decide: ({ nodes, inventory }) => {
      const waiting = nodes.filter((node) => marked(node, harborUnit) && mayPause(nodes, node));
      // The holder of the virtual address comes last: fewer connections have to move.
      const node =
        waiting.find((node) => !node.host?.addresses.includes(inventory.topology.virtualAddress)) ?? waiting[0];
      return (
        node && {
          node: node.name,
          action: { do: "harbor", verb: "restart", drain: serving(nodes, node) },
          sentence: `restart Harbor on ${node.name} for changed settings`,
        }
      );
    },
  },
  {
    id: "harbor.silent",
    decide: ({ nodes, done }) => {
      const node = nodes.find((node) => !answers(node));
      if (!node) return undefined;
      if (!done.has(`harbor.silent ${node.name}`))
        return {
          node: node.name,
          action: { do: "harbor", verb: "restart", drain: serving(nodes, node) },
          sentence: `restart Harbor on ${node.name}, which does not answer`,
        };
      return {
        sentence: `Harbor on ${node.name} does not answer, also after a restart.`,
        remedy: `look at \`docker compose logs\` in /opt/harbor on ${node.name}`,
        exitCode: 3,
      };
    },
  },
];

/** Whether a running server and the data directory of its node tell different stories. */
const contradicts = ({ data, standbySignal, role }: HostFacts["postgres"]) =>
  role !== "down" && (data !== "present" || (role === "standby") !== standbySignal);

/** Whether another node serves clients, so that this one can be drained. */
const serving = (nodes: NodeObservation[], but: NodeObservation) => nodes.some((node) => node !== but && answers(node));

/** Whether Harbor on a node may go down for a moment: it serves nobody, or the other one serves too. */
const mayPause = (nodes: NodeObservation[], node: NodeObservation) => !answers(node) || serving(nodes, node);

/** Whether the primary sends its WAL to the standby right now. */
export function streams(primary: NodeObservation, standby: NodeObservation): boolean {
  return primary.postgres?.standbys.some(({ name, state }) => name === standby.name && state === "streaming") === true;
}

/** Decides the next step from one observation. Pure. */
export function decide(inventory: Inventory, observation: Observation, done: ReadonlySet<string>): Decision {
  const nodes = inventory.topology.nodes.map(({ name }) => observation[name] ?? { name, reach: "unknown" as const });
  const primaries = nodes.filter((node) => data(node) === "present" && !isStandbyData(node));
  const primary = primaries.length === 1 ? primaries[0] : undefined;
  const standby = primary && nodes.find((node) => node !== primary);
  const facts: Facts = { inventory, nodes, primary, standby, done };
  for (const { id, decide } of rules) {
    const decision = decide(facts);
    if (!decision) continue;
    if ("sentence" in decision && !("action" in decision)) return { kind: "refusal", rule: id, ...decision };
    return { kind: "step", rule: oncePerNode.has(id) ? `${id} ${decision.node}` : id, ...decision };
  }
  return undefined;
}
