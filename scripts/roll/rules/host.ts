import type { Rule } from "../rule.ts";

/** No decision is taken about a pair that is seen in part. */
export const hostRules: Rule[] = [
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
];
