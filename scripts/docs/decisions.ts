import { bootRules, decideBoot } from "../agent/boot.ts";
import { runningRules } from "../agent/running.ts";
import { decideRejoin, rejoinAllowed, rejoinRules } from "../failover/rejoin-rules.ts";
import { allowedMoves, decideMove, moveRules } from "../failover/rules.ts";
import { wishRules } from "../failover/wish-rules.ts";
import { judgeOperation, operationActs, operationRules } from "../operations/rules.ts";
import { rulesOf } from "../roll/rules.ts";
import { bootDomains, bootSituation } from "./boot-situations.ts";
import { type Choice, nearest } from "./combinations.ts";
import { table } from "./markdown.ts";
import { type MoveChoice, moveDomains, moveSituation } from "./move-situations.ts";
import { operationDomains, operationSituation } from "./operation-situations.ts";
import { recordDiagram } from "./record-diagram.ts";

/** A row of a table: what is so, and what is said of an example of it. */
interface Row {
  id: string;
  when: string;
}

/** What a decision says, in the words that people get. */
interface Said {
  sentence?: string;
  remedy?: string;
  exitCode?: number;
  start?: string;
}

/** docs/decisions.md. Pure. */
export function decisionsDocument(): string {
  return `<!-- Made by \`npm run docs\` from the tables themselves, in scripts/. -->
# Decisions

What may be done to the pair is decided by tables: facts in, one row out, and the first row that matches wins. What is said ends with
the row's id in brackets, on the screen, in the nodes' journal and in the agents' logs; \`--json\` has it as \`rule\`. The sentences
below are the product's own, said of an example: node1 is the primary, node2 its standby, entry 5 the newest of the record.

## The record

Who may write is what the newest entry of the cluster record says. An entry is never changed; these may follow each other, each by the
row that is named:

${recordDiagram()}
After an \`intent\` the agents claim nothing, and a node starts or promotes only under the intent's own token: it is settled by
whoever claimed it, or taken over by a new intent, after which the hosts refuse the steps of the first.

## \`switchover\` and \`failover\`

The target is the node that is to be the primary. Without \`--to\` it is the one that an open move names, else the one that the record does not
name.

${rows([...wishRules, ...moveRules, ...allowedMoves], moveExamples())}
## \`rejoin\`

${rows([...rejoinRules, rejoinAllowed], rejoinExamples())}
## \`operations\` of the stack file

${rows([...operationRules, operationActs], operationExamples())}
## When a node starts

Both PostgreSQL and Redis ask before each start; Redis skips the rows about the database. What stays down is asked again for ever.

${rows(bootRules, bootExamples())}
## While a node runs

Its agent asks all the time. The rows \`sync.…\` are for a primary that the newest entry names, settled and overtaken by nothing the other node has
seen. Where no row matches nothing is done.

${rows(runningRules, new Map(runningRules.map(({ id, sentence }) => [id, { sentence }])))}
## \`roll\`

Every step leads to another look at the pair and another decision, until no row matches. Some rows refuse, the others do the next step. These are
the rows of a pair that runs PostgreSQL and Redis itself; those of a server of yours are left out.

${table([["Row", "When"], ...rollRules.map(({ id, when }) => [`\`${id}\``, when])])}`;
}

const rows = (rules: Row[], examples: Map<string, Said>) =>
  table([
    ["Row", "When", "What happens"],
    ...rules.map(({ id, when }) => [`\`${id}\``, when, spoken(examples.get(id) ?? {})]),
  ]);

function spoken({ sentence, remedy, exitCode, start }: Said): string {
  if (start === "primary" || start === "standby") return `starts as ${start}`;
  const verdict = start === "no" ? "stays down: " : exitCode ? `refused (${exitCode}): ` : "";
  if (sentence === undefined) return "it is carried out, by the tables above";
  return `${verdict}${sentence}${remedy ? ` → ${remedy}` : ""}`;
}

/** Of a pair that runs all its services itself. */
const rollRules = rulesOf({});

function moveExamples(): Map<string, Said> {
  const ids = [...wishRules, ...moveRules, ...allowedMoves].map(({ id }) => id);
  return nearest(moveDomains, ids, (choice) => example(choice, decideMove));
}

function rejoinExamples(): Map<string, Said> {
  const ids = [...rejoinRules, rejoinAllowed].map(({ id }) => id);
  return nearest(moveDomains, ids, (choice) =>
    example(choice, ({ inventory, observation }) => decideRejoin(inventory, observation)),
  );
}

function example(
  choice: MoveChoice,
  decide: (facts: NonNullable<ReturnType<typeof moveSituation>>) => Said & { rule: string },
) {
  const facts = moveSituation(choice);
  if (!facts) return undefined;
  const found = decide(facts);
  return { rule: found.rule, found };
}

function operationExamples(): Map<string, Said> {
  const ids = [...operationRules, operationActs].map(({ id }) => id);
  return nearest(operationDomains, ids, (choice: Choice<typeof operationDomains>) => {
    const { wish, entries, journal } = operationSituation(choice);
    const found: Said & { rule: string } = judgeOperation(wish, entries, journal);
    return { rule: found.rule, found };
  });
}

function bootExamples(): Map<string, Said> {
  const ids = bootRules.map(({ id }) => id);
  return nearest(bootDomains, ids, (choice: Choice<typeof bootDomains>) => {
    const found: Said & { rule: string } = decideBoot(bootSituation(choice));
    return { rule: found.rule, found };
  });
}
