import type { HostFacts } from "../../components/model/host-facts.ts";
import type { Inventory } from "../../components/model/inventory.ts";
import type { Claim, RecordEntry } from "../../components/model/record.ts";
import { addressOf } from "../../components/model/topology.ts";
import type { NodeObservation } from "../cluster/observe.ts";
import type { Refusal } from "../refusal.ts";

/** One thing to do on one node. */
export interface Step {
  kind: "step";
  /** Id of the rule that fired; followed by the node for a rule that fires once in a run on each node. */
  rule: string;
  node: string;
  action:
    | { do: "script"; program: string; args: string[] }
    | { do: "record-proof" }
    /** A claim without a token gets one of its own. */
    | { do: "claim"; previous: number; entry: Omit<Claim, "token"> & { token?: string } }
    | { do: "wait-synced" }
    | { do: "deliver" }
    | { do: "storage-proof" }
    | { do: "wait-streaming" }
    /** The standby, which has its new settings already, becomes the primary. */
    | { do: "switchover"; to: string }
    | { do: "restart-unit"; unit: string }
    | { do: "start-unit"; unit: string }
    | { do: "take-endpoint" }
    | { do: "harbor"; verb: "install" | "restart"; drain: boolean };
  /** Said before it is done. */
  sentence: string;
}

/** What `roll` does next. Undefined: nothing is left. `done` holds the rules that fire once in a run. */
export type Decision = Step | Refusal | undefined;

/** What rules decide by. */
export interface Facts {
  inventory: Inventory;
  nodes: NodeObservation[];
  /** The newest entry of the cluster record; undefined: there is none yet. */
  newest?: RecordEntry;
  /** The node whose data is a primary's, whether it runs or not; undefined: none, or not exactly one. */
  primary?: NodeObservation;
  standby?: NodeObservation;
  done: ReadonlySet<string>;
}

/** A row of the decision table. */
export interface Rule {
  id: string;
  /** The condition, for people. */
  when: string;
  decide: (facts: Facts) => Omit<Step, "kind" | "rule"> | Omit<Refusal, "kind" | "rule"> | undefined;
}

export const data = (node: NodeObservation) => node.host?.postgres.data;
export const runs = (node: NodeObservation) => node.host?.postgres.role !== "down";
export const isStandbyData = (node: NodeObservation) => node.host?.postgres.standbySignal === true;
export const address = ({ inventory }: Facts, name: string) => addressOf(inventory.topology, name);
export const marked = (node: NodeObservation, unit: string) => node.host?.restartNeeded.includes(unit) === true;
export const answers = (node: NodeObservation) => node.host?.harbor.answers === true;
export const script = (program: string, ...args: string[]) => ({ do: "script", program, args }) as const;

/** Whether a running server and the data directory of its node tell different stories. */
export const contradicts = ({ data, standbySignal, role }: HostFacts["postgres"]) =>
  (role === "primary" || role === "standby") && (data !== "present" || (role === "standby") !== standbySignal);

/** Whether another node serves clients, so that this one can be drained. */
export const serving = (nodes: NodeObservation[], but: NodeObservation) =>
  nodes.some((node) => node !== but && answers(node));

/** Whether Harbor on a node may go down for a moment: it serves nobody, or the other one serves too. */
export const mayPause = (nodes: NodeObservation[], node: NodeObservation) => !answers(node) || serving(nodes, node);
