import { settled } from "../../../components/model/record.ts";
import { redisMaster } from "../../../components/model/units.ts";
import { newestOf } from "../../cluster/observe.ts";
import { data, type Facts, isStandbyData, type Rule, runs } from "../rule.ts";

const storageBack =
  "bring the storage back; if the record is lost for good: harbor-ha record adopt --i-lost-the-record";

/** The cluster record: readable, the same for both, proven. */
export const recordRules: Rule[] = [
  {
    id: "record.unreadable",
    when: "a node cannot read the record, or does not believe it",
    decide: ({ nodes }) => {
      for (const { name, host } of nodes)
        if (host?.record.belief.state === "unreadable")
          return {
            sentence: `${name}: the cluster record cannot be trusted (${host.record.belief.reason}).`,
            remedy: storageBack,
            exitCode: 2,
          };
      return undefined;
    },
  },
  {
    id: "record.different",
    when: "the nodes read different records",
    decide: ({ nodes }) => {
      const [one, two] = nodes.map(newestOf);
      // One may be an entry behind the other: they were not read at the same moment.
      if (!one || !two || one.epoch !== two.epoch || one.token === two.token) return undefined;
      return {
        sentence: `The nodes read different records: entry ${one.epoch} is not the same on both.`,
        remedy: "mount the same storage on both nodes",
        exitCode: 2,
      };
    },
  },
  {
    id: "record.proof",
    when: "there is no record, and its storage was not tried in this run",
    decide: ({ nodes, newest, done }) => {
      const [first] = nodes;
      return newest || done.has("record.proof") || !first
        ? undefined
        : {
            node: first.name,
            action: { do: "record-proof" },
            sentence: "prove that the storage lets only one node create each entry of the record",
          };
    },
  },
];

/** The very first database, and the entries that begin the record with it. */
export const firstDatabaseRules: Rule[] = [
  {
    id: "record.first",
    when: "there is no record, and no node holds data",
    decide: ({ nodes, newest, inventory }) =>
      !newest && nodes.every((node) => data(node) === "empty")
        ? {
            node: inventory.topology.initialPrimary,
            action: {
              do: "claim",
              previous: 0,
              entry: { kind: "intent", primary: inventory.topology.initialPrimary, sync: [] },
            },
            sentence: `begin the cluster record: ${inventory.topology.initialPrimary} is to get the first, empty database`,
          }
        : undefined,
  },
  {
    id: "record.adopt-pair",
    when: "there is no record, and exactly one node holds a primary's data",
    decide: ({ nodes, newest }) => {
      const primaries = nodes.filter((node) => data(node) === "present" && !isStandbyData(node));
      const [primary] = primaries;
      if (newest || primaries.length !== 1 || !primary?.host || nodes.some((node) => data(node) === "unknown"))
        return undefined;
      const { systemIdentifier, timeline } = primary.host.postgres;
      return {
        node: primary.name,
        action: {
          do: "claim",
          previous: 0,
          entry: { kind: "done", primary: primary.name, sync: [], systemIdentifier, timeline },
        },
        sentence: `begin the cluster record of a pair that is older than it: ${primary.name} is the primary`,
      };
    },
  },
  {
    id: "postgres.initialise",
    when: "the first entry is an intent, and its node has no data, or those of this very intent that do not run",
    decide: (facts) => {
      const { intent, node } = firstIntent(facts);
      if (!intent || !node) return undefined;
      const begun = data(node) === "present" && node.host?.postgres.firstToken === intent.token;
      return data(node) === "empty" || (begun && !runs(node))
        ? {
            node: node.name,
            action: { do: "script", program: "postgres.sh", args: ["initialise", intent.token] },
            sentence: `initialise the first, empty database on ${node.name}`,
          }
        : undefined;
    },
  },
  {
    id: "record.first-done",
    when: "the first entry is an intent, and its node runs the primary that was made under it",
    decide: (facts) => {
      const { intent, node } = firstIntent(facts);
      if (!intent || node?.host?.postgres.role !== "primary" || node.host.postgres.firstToken !== intent.token)
        return undefined;
      const { systemIdentifier, timeline } = node.host.postgres;
      return {
        node: node.name,
        action: {
          do: "claim",
          previous: intent.epoch,
          entry: { kind: "done", primary: node.name, sync: [], systemIdentifier, timeline, token: intent.token },
        },
        sentence: `the record names ${node.name} as primary`,
      };
    },
  },
];

/** The record of a pair whose database is a server of yours: it governs Redis alone. */
export const firstRedisRules: Rule[] = [
  {
    id: "record.first-redis",
    when: "there is no record (where Redis alone runs on the nodes)",
    decide: ({ nodes, newest, inventory }) => {
      if (newest) return undefined;
      const { name } = nodes.find(({ host }) => host?.redis.configured === redisMaster) ?? {
        name: inventory.topology.initialPrimary,
      };
      return {
        node: name,
        action: { do: "claim", previous: 0, entry: { kind: "done", primary: name, sync: [] } },
        sentence: `begin the cluster record: ${name} gets the Redis master`,
      };
    },
  },
];

/** Nothing else is done while a move is open. */
export const settledRules: Rule[] = [
  {
    id: "record.under-way",
    when: "the newest entry is an intent",
    decide: ({ newest }) =>
      newest && !settled(newest)
        ? {
            sentence: `Entry ${newest.epoch} of the record is an intent that nobody has finished (by ${newest.by}, ${newest.at}).`,
            remedy: "run the command again that began it, then this one",
            exitCode: 2,
          }
        : undefined,
  },
];

/** The data directories must be what the record says. */
export const namedDataRules: Rule[] = [
  {
    id: "record.names-other",
    when: "a node that the record does not name holds a primary's data, or the one that it names does not",
    decide: ({ nodes, newest }) => {
      const former = nodes.find(
        (node) => data(node) === "present" && !isStandbyData(node) && node.name !== newest?.primary,
      );
      const named = nodes.find((node) => node.name === newest?.primary);
      if (!newest || !named) return undefined;
      if (former)
        return {
          sentence: `${former.name} holds a former primary's data; entry ${newest.epoch} of the record names ${newest.primary}.`,
          remedy: `run harbor-ha rejoin, which makes ${former.name} the standby`,
          exitCode: 2,
        };
      if (data(named) !== "present" || isStandbyData(named))
        return {
          sentence: `${named.name} holds no primary's data, but entry ${newest.epoch} of the record names it as primary.`,
          remedy: "look at it by hand: roll neither promotes nor copies over it",
          exitCode: 2,
        };
      return undefined;
    },
  },
];

/** The same of Redis, where it is all there is. */
export const namedRedisRules: Rule[] = [
  {
    id: "redis.former-master",
    when: "a node that the record does not name has the Redis master (where Redis alone runs on the nodes)",
    decide: ({ nodes, newest }) => {
      const former = nodes.find(
        ({ name, host }) => newest && host?.redis.configured === redisMaster && name !== newest.primary,
      );
      return (
        former && {
          sentence: `${former.name} holds a former master's Redis; entry ${newest?.epoch} of the record names ${newest?.primary}.`,
          remedy: `run harbor-ha rejoin, which makes ${former.name} the replica`,
          exitCode: 2,
        }
      );
    },
  },
];

/** The intent under which the very first database is made, and the node it names. */
function firstIntent({ nodes, newest }: Facts) {
  const intent = newest?.epoch === 1 && newest.kind === "intent" ? newest : undefined;
  return { intent, node: nodes.find((node) => node.name === intent?.primary) };
}
