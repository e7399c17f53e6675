import { harborUnit } from "../../../components/model/units.ts";
import { marked, type Rule, script } from "../rule.ts";

/** The shared storage: claimed, the right one, and the very same on both nodes. */
export const storageRules: Rule[] = [
  {
    id: "storage.claim",
    when: "a node's shared storage belongs to nobody",
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
    when: "a node's shared storage is not the right one, or not mounted",
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
    when: "Harbor is to start somewhere, and the storage was not tried in this run",
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
];
