import { harborUnit } from "../../../components/model/units.ts";
import { holdsEndpoint } from "../../cluster/observe.ts";
import { answers, marked, mayPause, type Rule, script, serving } from "../rule.ts";

/** Harbor: installed and restarted one node after the other. */
export const harborRules: Rule[] = [
  {
    id: "harbor.deliver",
    when: "a node has neither run nor received the installer of the wanted version",
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
    when: "a node has not run the installer of the wanted version, and serves nobody, or the other one serves too",
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
    when: "Harbor does not run on a node",
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
    when: "Harbor on a node has settings that wait for a restart, and serves nobody, or the other one serves too",
    decide: ({ nodes, inventory }) => {
      const waiting = nodes.filter((node) => marked(node, harborUnit) && mayPause(nodes, node));
      // The holder of the virtual address comes last: fewer connections have to move.
      const node = waiting.find((node) => !holdsEndpoint(inventory, node)) ?? waiting[0];
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
    when: "Harbor on a node runs and does not answer: restarted once, then refused",
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
  {
    id: "harbor.schedule",
    when: "nobody has scheduled Harbor's own cleaning",
    decide: ({ nodes }) => {
      const [node] = nodes;
      if (!node || nodes.some(({ host }) => host?.harbor.scheduled)) return undefined;
      return {
        node: node.name,
        action: script("harbor.sh", "schedule"),
        sentence: "schedule Harbor's garbage collection and the purge of its audit log",
      };
    },
  },
];
