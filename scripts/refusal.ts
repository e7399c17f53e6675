import { UserError } from "./user-error.ts";

/** A state in which going on could lose or fork data, or in which nothing can be done from here. */
export interface Refusal {
  kind: "refusal";
  /** Stable id of the rule that refuses. */
  rule: string;
  sentence: string;
  remedy: string;
  exitCode: 2 | 3;
}

export const refuse = (rule: string, sentence: string, remedy: string, exitCode: 2 | 3 = 2): Refusal => ({
  kind: "refusal",
  rule,
  sentence,
  remedy,
  exitCode,
});

/** A refusal in the words that people get. */
export const refused = ({
  sentence,
  remedy,
  rule,
  exitCode = 2,
}: Omit<Refusal, "kind" | "exitCode"> & { exitCode?: 2 | 3 }) =>
  new UserError(`${sentence} → ${remedy} [${rule}]`, exitCode);
