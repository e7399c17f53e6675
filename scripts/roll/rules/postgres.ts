import { postgresUnit } from "../../../components/model/units.ts";
import type { NodeObservation } from "../../cluster/observe.ts";
import { streams } from "../../cluster/roles.ts";
import { address, contradicts, data, isStandbyData, marked, type Rule, runs, script } from "../rule.ts";

/** What lies in the data directories must make sense before anything is decided. */
export const dataRules: Rule[] = [
  {
    id: "postgres.unknown-data",
    when: "a data directory holds files that are no database",
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
    when: "a running server and its data directory tell different stories",
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
    when: "there is no record, and both nodes hold a primary's data",
    // Where there is a record, it says which one is right.
    decide: ({ nodes, newest }) =>
      !newest && nodes.every((node) => data(node) === "present" && !isStandbyData(node))
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
    when: "there is no record, and nobody but standbys holds data",
    decide: ({ nodes, newest }) =>
      !newest && nodes.some(isStandbyData) && nodes.every((node) => isStandbyData(node) || data(node) === "empty")
        ? {
            sentence: `No node holds a primary's data: ${nodes.map((node) => `${node.name} ${isStandbyData(node) ? "is a standby" : "is empty"}`).join(", ")}.`,
            remedy: "a standby has to be promoted by an operator's decision; roll never does that",
            exitCode: 2,
          }
        : undefined,
  },
];

const waitsForRestart = (node: NodeObservation) =>
  marked(node, postgresUnit) || (node.postgres?.pendingRestart.length ?? 0) > 0;

/** PostgreSQL: the standby, starts and restarts, without ever making a second primary. */
export const postgresRules: Rule[] = [
  {
    id: "postgres.kept-down",
    when: "the table of starts keeps a node's PostgreSQL down",
    decide: ({ nodes }) => {
      for (const node of nodes) {
        const boot = node.host?.postgres.boot;
        if (data(node) === "present" && !runs(node) && boot?.start === "no")
          return {
            sentence: `${node.name}: PostgreSQL stays down: ${boot.sentence}.`,
            remedy: boot.remedy,
            exitCode: 2,
          };
      }
      return undefined;
    },
  },
  {
    id: "postgres.start-primary",
    when: "the primary's PostgreSQL is down",
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
    when: "the standby has no data, and the primary was not prepared for it in this run",
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
    when: "the standby has no data",
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
    when: "the standby's PostgreSQL is down",
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
    when: "the standby does not stream from the primary",
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
    id: "postgres.wait-synced",
    when: "the record does not name the standby in sync",
    decide: ({ newest, primary, standby }) =>
      primary && standby && newest && !newest.sync.includes(standby.name)
        ? {
            node: primary.name,
            action: { do: "wait-synced" },
            sentence: `wait until commits on ${primary.name} wait for ${standby.name}, and the record says so`,
          }
        : undefined,
  },
  {
    id: "postgres.switchover",
    when: "settings of the primary alone wait for a restart, none of them is a limit that goes down, and nothing was moved in this run",
    // Clients wait a second for a switchover, but fail during a restart; the former primary starts anew in it.
    decide: ({ primary, standby, done }) =>
      primary &&
      standby &&
      !done.has("postgres.switchover") &&
      !primary.postgres?.lowered &&
      waitsForRestart(primary) &&
      !waitsForRestart(standby)
        ? {
            node: standby.name,
            action: { do: "switchover", to: standby.name },
            sentence: `${standby.name} takes over from ${primary.name}, whose PostgreSQL has to start anew for changed settings`,
          }
        : undefined,
  },
  {
    id: "postgres.restart",
    when: "settings wait for a restart: the standby first, but the primary first with a limit that goes down",
    decide: ({ primary, standby }) => {
      if (!primary || !standby) return undefined;
      // Standby first; but a lowered limit must reach the primary first, or the standby would refuse to start.
      const order = primary.postgres?.lowered ? [primary, standby] : [standby, primary];
      const node = order.find(waitsForRestart);
      return (
        node && {
          node: node.name,
          action: script("postgres.sh", "restart"),
          sentence: `restart PostgreSQL on ${node.name} (${node === primary ? "primary" : "standby"}) for changed settings`,
        }
      );
    },
  },
];
