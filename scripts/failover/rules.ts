import { type Inventory, presentNodes } from "../../components/model/inventory.ts";
import { type RecordEntry, settled } from "../../components/model/record.ts";
import { dataServices } from "../../components/model/topology.ts";
import type { NodeObservation, Observation } from "../cluster/observe.ts";
import { follows, roleOf } from "../cluster/roles.ts";
import { type Refusal, refuse } from "../refusal.ts";

/** What a planned or unplanned move is decided by. */
export interface MoveFacts {
  verb: "switchover" | "failover";
  /** The node that is to be primary; undefined: the one that is not. */
  to?: string;
  inventory: Inventory;
  observation: Observation;
  /** Entries of the record that could be read, newest first; undefined: no node can read it. */
  entries?: RecordEntry[];
  /** Whether the operator accepts the loss of writes that the target may not hold. */
  acceptLoss: boolean;
}

/** A move that may be made: the roles are those of the settled record. */
export interface Move {
  kind: "move";
  from: string;
  to: string;
  /** The newest entry: the one the move builds on, or an intent that it takes over. */
  newest: RecordEntry;
  /** The newest entry that is settled. */
  before: RecordEntry;
  /** Whether nothing is to be promoted: an unfinished move ends where it began. */
  goBack: boolean;
  /** What is done, and what it costs. */
  sentence: string;
}

interface Names {
  newest: RecordEntry;
  /** The newest entry that is settled. */
  before: RecordEntry;
  from: NodeObservation;
  to: NodeObservation;
}

interface MoveRule {
  id: string;
  decide: (facts: Omit<MoveFacts, "to"> & Names) => { sentence: string; remedy: string; exitCode?: 2 | 3 } | undefined;
}

/** What the rules ask of a node in the pair at hand. */
const part = ({ inventory }: Pick<MoveFacts, "inventory">, node: NodeObservation) => roleOf(inventory.topology, node);
/** Only PostgreSQL can promise that a standby holds every acknowledged write. */
const promised = ({ inventory }: Pick<MoveFacts, "inventory">) => dataServices(inventory.topology)[0] === "postgres";

/** Each says why a move is refused; first match wins. What none refuses may be done. */
export const moveRules: MoveRule[] = [
  {
    id: "move.already-there",
    decide: ({ newest, before, from, to, ...facts }) =>
      settled(newest) && to.name === before.primary
        ? {
            sentence: `${to.name} is the primary already.`,
            remedy:
              part(facts, from).data === "standby"
                ? "nothing has to be done"
                : `nothing has to be moved; ${from.name} is no standby: harbor-ha rejoin`,
          }
        : undefined,
  },
  {
    id: "move.target-unreachable",
    decide: ({ to }) =>
      to.reach === "up"
        ? undefined
        : {
            sentence: `${to.name}, which is to be the primary, is ${to.reach}${to.reason ? ` (${to.reason})` : ""}.`,
            remedy: "bring it back first: nothing else can take over",
            exitCode: 3,
          },
  },
  {
    id: "switchover.maintenance",
    decide: ({ verb, from, to }) => {
      const node = [from, to].find(({ host }) => host?.maintenance);
      return verb === "switchover" && node
        ? { sentence: `Somebody works on ${node.name}.`, remedy: "wait until harbor-ha maintenance has ended there" }
        : undefined;
    },
  },
  {
    id: "move.other-database",
    decide: ({ to, before, ...facts }) =>
      !promised(facts) || to.host?.postgres.systemIdentifier === before.systemIdentifier
        ? undefined
        : {
            sentence: `${to.name} holds another database than the record's (or none).`,
            remedy: "make it the standby first: harbor-ha rejoin, or harbor-ha roll",
          },
  },
  {
    id: "move.back-too-late",
    decide: ({ newest, before, from, to, ...facts }) =>
      !settled(newest) && to.name === before.primary && part(facts, from).runs !== "standby"
        ? {
            sentence: `${from.name} cannot be seen as a standby any more: it may have been promoted already.`,
            remedy: `finish the move instead: harbor-ha failover --to ${from.name}`,
          }
        : undefined,
  },
  {
    id: "switchover.old-primary-away",
    decide: ({ verb, from, to, newest, ...facts }) =>
      verb === "switchover" && settled(newest) && part(facts, from).runs !== "primary"
        ? {
            sentence: `${from.name} does not run as primary: a planned move needs both nodes.`,
            remedy: `if it is lost: harbor-ha failover --to ${to.name}`,
          }
        : undefined,
  },
  {
    id: "switchover.not-streaming",
    decide: ({ verb, from, to, newest, before, ...facts }) =>
      verb === "switchover" &&
      settled(newest) &&
      (!follows(facts.inventory.topology, from, to) || (promised(facts) && !before.sync.includes(to.name)))
        ? {
            sentence: `${to.name} is not in sync with ${from.name}.`,
            remedy:
              part(facts, to).data === "standby"
                ? "wait until status says so: it becomes synchronous by itself"
                : `make it the standby first: harbor-ha rejoin`,
          }
        : undefined,
  },
  {
    id: "failover.primary-serves",
    decide: ({ verb, from, newest, ...facts }) =>
      verb === "failover" && settled(newest) && part(facts, from).runs === "primary"
        ? {
            sentence: `${from.name} runs as primary.`,
            remedy: "use harbor-ha switchover, which loses nothing and nobody notices",
          }
        : undefined,
  },
  {
    id: "failover.no-standby",
    // A target that is the former primary, or was promoted by an unfinished move, is no standby any more.
    decide: ({ to, newest, ...facts }) =>
      part(facts, to).data === "standby" || (part(facts, to).data === "primary" && !settled(newest))
        ? undefined
        : {
            sentence: `${to.name} holds no standby's data.`,
            remedy: "make it the standby first: harbor-ha rejoin",
          },
  },
  {
    id: "failover.may-lose",
    decide: ({ to, before, acceptLoss, ...facts }) =>
      promised(facts) && to.name !== before.primary && !before.sync.includes(to.name) && !acceptLoss
        ? {
            sentence: `${to.name} does not hold everything that was acknowledged: entry ${before.epoch} of the record (${before.kind}, ${before.at}) says that ${before.primary} has been writing without it since then.`,
            remedy: `bring ${before.primary} back; or lose what was written since: harbor-ha failover --lose-unreplicated-writes`,
          }
        : undefined,
  },
];

/** What may be done. Pure. */
export function decideMove(facts: MoveFacts): Move | Refusal {
  const { inventory, observation, entries } = facts;
  const names = inventory.topology.nodes.map(({ name }) => name);
  if (dataServices(inventory.topology).length === 0)
    return refuse(
      "move.yours",
      "PostgreSQL and Redis of this pair are servers of yours: nothing on its nodes has to be moved.",
      "use their provider's own switchover; without one of the nodes Harbor goes on by itself",
    );
  if (facts.to !== undefined && !names.includes(facts.to))
    return refuse("move.unknown-node", `There is no node ${facts.to}.`, `the nodes are ${names.join(" and ")}`);
  const absent = names.find((name) => !presentNodes(inventory).some((node) => node.name === name));
  if (absent && absent === facts.to)
    return refuse("move.absent", `${absent} is absent by the configuration.`, `remove nodes.${absent}.absent`);
  const before = entries?.find(settled);
  const [newest] = entries ?? [];
  const other = (name?: string) => names.find((candidate) => candidate !== name) ?? "";
  // Without a wish an unfinished move goes on, and a new one goes to the other node.
  const target = facts.to ?? (newest && !settled(newest) ? newest.primary : other(before?.primary));
  // Only the node that is to be primary must trust the record; the other one may have lost its storage with everything else.
  const distrusted = Object.values(observation).find(
    ({ name, host }) => host?.record.belief.state === "unreadable" && (facts.verb === "switchover" || name === target),
  );
  if (!before || !newest || distrusted) {
    const belief = distrusted?.host?.record.belief;
    return refuse(
      "move.record-unreadable",
      belief?.state === "unreadable"
        ? `${distrusted?.name} does not trust the cluster record: ${belief.reason}.`
        : "The cluster record cannot be read.",
      "bring its storage back: without it nobody can tell which writes a node holds",
    );
  }
  const seen = (name: string): NodeObservation => observation[name] ?? { name, reach: "absent" };
  const roles = { newest, before, to: seen(target), from: seen(other(target)) };
  for (const { id, decide } of moveRules) {
    const found = decide({ ...facts, ...roles });
    if (found) return refuse(id, found.sentence, found.remedy, found.exitCode);
  }
  const goBack = target === before.primary;
  const from = goBack ? other(target) : before.primary;
  return { kind: "move", from, to: target, newest, before, goBack, sentence: sentenceOf(facts, roles, goBack) };
}

function sentenceOf({ verb, inventory }: MoveFacts, { newest, before, from, to }: Names, goBack: boolean): string {
  const unfinished = settled(newest)
    ? ""
    : ` This takes over entry ${newest.epoch}, which ${newest.by} began and did not finish.`;
  if (goBack) return `${to.name} stays the primary; nothing was promoted.${unfinished}`;
  const mayLose = `about a second of sessions and queued jobs may be lost if ${from.name} is gone`;
  if (!promised({ inventory }))
    return `Redis on ${to.name} becomes the master in place of ${from.name}'s; the database is a server of yours and stays as it is. ${mayLose[0]?.toUpperCase()}${mayLose.slice(1)}.${unfinished}`;
  const loss = before.sync.includes(to.name)
    ? "Nothing that was acknowledged is lost"
    : `What was written on ${before.primary} since ${before.at} is LOST`;
  const pause = verb === "switchover" ? "Harbor's writes wait a few seconds" : "Harbor cannot write until it is done";
  return `${to.name} becomes the primary in place of ${from.name}. ${loss}; ${pause}; ${mayLose}.${unfinished}`;
}
