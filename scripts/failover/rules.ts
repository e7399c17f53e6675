import type { Inventory } from "../../components/model/inventory.ts";
import { type RecordEntry, settled } from "../../components/model/record.ts";
import { dataServices } from "../../components/model/topology.ts";
import type { NodeObservation, Observation } from "../cluster/observe.ts";
import { follows, roleOf } from "../cluster/roles.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { partsOf, wishRules } from "./wish-rules.ts";

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
  /** Stable id of the row that allows it. */
  rule: string;
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

export interface Names {
  newest: RecordEntry;
  /** The newest entry that is settled. */
  before: RecordEntry;
  from: NodeObservation;
  to: NodeObservation;
}

export interface Rule<Facts> {
  id: string;
  /** The condition, for people; the target is the node that is to be primary. */
  when: string;
  decide: (facts: Facts) => { sentence: string; remedy: string; exitCode?: 2 | 3 } | undefined;
}

type MoveRule = Rule<Omit<MoveFacts, "to"> & Names>;

/** What the rules ask of a node in the pair at hand. */
const part = ({ inventory }: Pick<MoveFacts, "inventory">, node: NodeObservation) => roleOf(inventory.topology, node);
/** Only PostgreSQL can promise that a standby holds every acknowledged write. */
const promised = ({ inventory }: Pick<MoveFacts, "inventory">) => dataServices(inventory.topology)[0] === "postgres";

/** Why a move is refused, once everybody's part in it is known; first match wins. What none refuses may be done. */
export const moveRules: MoveRule[] = [
  {
    id: "move.already-there",
    when: "the record is settled and names the target",
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
    when: "the target does not answer, or is absent",
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
    when: "switchover, while somebody works on one of the nodes",
    decide: ({ verb, from, to }) => {
      const node = [from, to].find(({ host }) => host?.maintenance);
      return verb === "switchover" && node
        ? { sentence: `Somebody works on ${node.name}.`, remedy: "wait until harbor-ha maintenance has ended there" }
        : undefined;
    },
  },
  {
    id: "move.other-database",
    when: "the target does not hold the record's database",
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
    when: "back to where an open move began, but the other node is not seen to run as a standby",
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
    when: "switchover, nothing open, and the primary does not run as such",
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
    when: "switchover, nothing open, and the target does not stream or the record does not name it in sync",
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
    when: "failover, nothing open, and the primary is seen to run as such",
    decide: ({ verb, from, newest, ...facts }) =>
      verb === "failover" && settled(newest) && part(facts, from).runs === "primary"
        ? {
            sentence: `${from.name} runs as primary.`,
            remedy:
              "use harbor-ha switchover, which loses nothing and nobody notices; where that does not get through, switch the node off first",
          }
        : undefined,
  },
  {
    id: "failover.no-standby",
    when: "the target's data is no standby's (nor, where a move is open, a primary's)",
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
    when: "the settled record does not name the target in sync, and the loss was not accepted",
    decide: ({ to, before, acceptLoss, ...facts }) =>
      promised(facts) && to.name !== before.primary && !before.sync.includes(to.name) && !acceptLoss
        ? {
            sentence: `${to.name} does not hold everything that was acknowledged: entry ${before.epoch} of the record (${before.kind}, ${before.at}) says that ${before.primary} has been writing without it since then.`,
            remedy: `bring ${before.primary} back; or lose what was written since: harbor-ha failover --lose-unreplicated-writes`,
          }
        : undefined,
  },
];

export interface AllowedMove {
  id: string;
  when: string;
  /** The entry that settles it; `aborted`: nothing is promoted. */
  ends: "done" | "aborted";
  applies: (facts: Pick<MoveFacts, "verb"> & Names) => boolean;
}

/** What is done where nothing refuses; first match wins, and the last one always does. */
export const allowedMoves: AllowedMove[] = [
  {
    id: "move.go-back",
    when: "a move is open, and the target is the node where it began",
    ends: "aborted",
    applies: ({ before, to }) => to.name === before.primary,
  },
  {
    id: "move.continue",
    when: "a move to the target is open",
    ends: "done",
    applies: ({ newest, to }) => !settled(newest) && newest.primary === to.name,
  },
  {
    id: "move.take-over",
    when: "a way back from the target is open",
    ends: "done",
    applies: ({ newest }) => !settled(newest),
  },
  { id: "move.planned", when: "switchover", ends: "done", applies: ({ verb }) => verb === "switchover" },
  { id: "move.unplanned", when: "failover", ends: "done", applies: () => true },
];

/** What may be done, by exactly one row. Pure. */
export function decideMove(facts: MoveFacts): Move | Refusal {
  const unwished = firstOf(wishRules, facts);
  if (unwished) return unwished;
  // There is a settled entry, or a wish rule had refused.
  const parts = partsOf(facts) as Names;
  const refused = firstOf(moveRules, { ...facts, ...parts });
  if (refused) return refused;
  const allowed = allowedMoves.find(({ applies }) => applies({ ...facts, ...parts }));
  if (!allowed) throw new Error("no row of the table of moves matched");
  const { newest, before } = parts;
  const goBack = allowed.ends === "aborted";
  return {
    kind: "move",
    rule: allowed.id,
    from: parts.from.name,
    to: parts.to.name,
    newest,
    before,
    goBack,
    sentence: sentenceOf(facts, parts, goBack),
  };
}

/** What the first rule that matches says. */
export function firstOf<Facts>(rules: Rule<Facts>[], facts: Facts): Refusal | undefined {
  for (const { id, decide } of rules) {
    const found = decide(facts);
    if (found) return refuse(id, found.sentence, found.remedy, found.exitCode);
  }
  return undefined;
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
