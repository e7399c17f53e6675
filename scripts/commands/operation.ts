import { journalled, note } from "../cluster/journal.ts";
import { judge, parseOperation } from "../operations/judge.ts";
import { planWish } from "../operations/plan.ts";
import { refused } from "../refusal.ts";
import { pairCommand, withPair } from "./pair.ts";

/** For the stack program: what a block `operations` of the stack file asks for. */
export function operationCommand() {
  return pairCommand("operation")
    .description("carry out the operation that the stack file asks for; used by pulumi")
    .requiredOption("--operation <json>", "which one")
    .option("--plan", "only say what would be done")
    .option("--new-stack", "there was no pair when pulumi began: remember that, and do nothing")
    .action((options) =>
      withPair(options, async (cluster) => {
        const operation = parseOperation(options.operation);
        const { verb, atEpoch, attempt } = operation;
        const about = { verb, operation: { verb, atEpoch, attempt } };
        const verdict = await judge(cluster, operation);
        const plan = verdict.kind === "act" ? await planWish(cluster, operation) : verdict;
        const sentence =
          plan.kind === "refusal"
            ? refused(plan).message
            : plan.kind === "nothing"
              ? `${plan.sentence} [${plan.rule}]`
              : plan.sentence;
        if (options.plan) {
          const newStack = verdict.kind === "nothing" && verdict.newStack === true;
          console.log(JSON.stringify({ newStack, sentence: `operations.${verb}: ${sentence}` }));
          return;
        }
        if (verdict.kind === "act" && verdict.firstPrimary && options.newStack) {
          await note(cluster, [...cluster.hosts.keys()], { ...about, state: "skipped", sentence });
          console.log(`an operation never acts on a new stack; to do it from now on set attempt: ${attempt + 1}`);
          return;
        }
        // What is so already needs no second attempt.
        if (plan.kind === "refusal" && plan.rule !== "rejoin.already") throw refused(plan);
        if (plan.kind !== "plan") {
          console.log(sentence);
          return;
        }
        const { said } = await journalled(cluster, plan.reachable, { ...about, sentence }, () =>
          plan.carryOut((line) => console.error(line)),
        );
        console.log(said);
      }),
    );
}
