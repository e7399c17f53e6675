import type { HostFacts } from "../../components/model/host-facts.ts";
import { type Claim, type RecordEntry, settled } from "../../components/model/record.ts";

/** What a new record is made from: each node's facts, and what still lies where the record is. */
export interface AdoptionFacts {
  nodes: { name: string; facts?: Pick<HostFacts, "postgres" | "record"> }[];
  highest: number;
  entries: RecordEntry[];
}

export type Adoption =
  | { previous: number; entry: Omit<Claim, "token">; sentence: string }
  | { rule: string; sentence: string; remedy: string };

/**
 * The entry that takes the place of a lost record: it names the node whose data is the newest primary's. Pure.
 * Everything doubtful is refused, for what this entry says nobody checks again.
 */
export function adoptRecord({ nodes, highest, entries }: AdoptionFacts): Adoption {
  const refuse = (rule: string, sentence: string, remedy: string) => ({ rule, sentence, remedy });
  const silent = nodes.find(({ facts }) => !facts);
  if (silent)
    return refuse(
      "adopt.unreachable",
      `${silent.name} cannot be read: it may hold the newer data.`,
      "bring it back first; both nodes must be seen",
    );
  const seen = nodes.flatMap(({ name, facts }) => (facts ? [{ name, ...facts }] : []));
  if (seen.every(({ record }) => record.belief.state === "good"))
    return refuse("adopt.not-lost", "The record is there, and both nodes believe it.", "there is nothing to adopt");
  const identities = new Set(seen.flatMap(({ postgres }) => postgres.systemIdentifier ?? []));
  if (identities.size > 1)
    return refuse("adopt.two-databases", "The nodes hold two different databases.", "look at them by hand");
  const [identity] = identities;
  const foreign = entries.find(({ systemIdentifier }) => systemIdentifier && systemIdentifier !== identity);
  if (foreign)
    return refuse(
      "adopt.foreign",
      `Where the record should be lies that of another database (${foreign.systemIdentifier}).`,
      "mount the right storage, or give the record a place of its own",
    );
  const known = seen.flatMap(({ record }) => record.known ?? []);
  const open = known.find((entry) => !settled(entry) && entry.epoch === Math.max(...known.map(({ epoch }) => epoch)));
  if (open && open.epoch > 1)
    return refuse(
      "adopt.under-way",
      `The last entry that was seen (${open.epoch}, by ${open.by}) is an intent: a move was under way.`,
      "run the command again that began it, once the storage is back",
    );
  const primaries = seen
    .filter(({ postgres }) => postgres.data === "present" && !postgres.standbySignal)
    .sort((a, b) => (b.postgres.timeline ?? 0) - (a.postgres.timeline ?? 0));
  const [primary, other] = primaries;
  const newestTimeline = Math.max(...seen.map(({ postgres }) => postgres.timeline ?? 0));
  if (!primary?.postgres.timeline || !primary.postgres.systemIdentifier)
    return refuse("adopt.no-primary", "No node holds a primary's data.", "promoting a standby is a failover");
  if (primary.postgres.timeline < newestTimeline || other?.postgres.timeline === primary.postgres.timeline)
    return refuse(
      "adopt.undecided",
      "It cannot be told which node's data is the newer one: " +
        `${seen.map(({ name, postgres }) => `${name} ${postgres.standbySignal ? "standby" : "primary"} on timeline ${postgres.timeline ?? "?"}`).join(", ")}.`,
      "look at them by hand: one of them has to be made a standby anew",
    );
  const previous = Math.max(highest, ...known.map(({ epoch }) => epoch), 0);
  const { systemIdentifier, timeline } = primary.postgres;
  return {
    previous,
    entry: { kind: "restored", primary: primary.name, sync: [], systemIdentifier, timeline },
    sentence: `entry ${previous + 1} will name ${primary.name} as primary (timeline ${timeline}); until the standby is in sync again, a failover to it is refused`,
  };
}
