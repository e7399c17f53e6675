import { expect, test } from "vitest";
import { type RecordEntry, settled } from "../../../components/model/record.ts";
import { dataServices } from "../../../components/model/topology.ts";
import { follows, roleOf } from "../../../scripts/cluster/roles.ts";
import { combinations } from "../../../scripts/docs/combinations.ts";
import { moveDomains, moveSituation } from "../../../scripts/docs/move-situations.ts";
import { decideRejoin, rejoinAllowed, rejoinRules } from "../../../scripts/failover/rejoin-rules.ts";
import { allowedMoves, decideMove, type Move, type MoveFacts, moveRules } from "../../../scripts/failover/rules.ts";
import { wishRules } from "../../../scripts/failover/wish-rules.ts";

/** What a move that is allowed breaks, told from the design and not from the rules. */
function breaks(facts: MoveFacts, move: Move): string | undefined {
  const { verb, acceptLoss, observation, entries = [], inventory } = facts;
  const { topology } = inventory;
  const [to, from] = [observation[move.to], observation[move.from]];
  const newest = entries[0] as RecordEntry;
  const before = entries.find(settled) as RecordEntry;
  const open = !settled(newest);
  const runs = from && roleOf(topology, from).runs;
  const inPostgres = dataServices(topology)[0] === "postgres";
  if (to?.reach !== "up") return "nobody promotes on a node that does not answer";
  if (to.host?.record.belief.state !== "good") return "the target trusts the record";
  if (move.newest !== newest || move.before !== before) return "a move builds on the newest entry";
  if (move.to === move.from) return "two nodes take part";
  const { data } = roleOf(topology, to);
  if (data !== "standby" && !(data === "primary" && open)) return "a standby's data, or those of a promotion under way";
  if (inPostgres && to.host.postgres.systemIdentifier !== before.systemIdentifier) return "the record's database";
  if (inPostgres && !acceptLoss && !before.sync.includes(move.to) && before.primary !== move.to)
    return "nothing acknowledged is lost without a word";
  if (move.goBack !== (move.to === before.primary)) return "going back is to the settled primary";
  if (move.goBack && !(open && runs === "standby")) return "only what was not promoted goes back";
  if (!open && verb === "failover" && runs === "primary") return "no failover beside a primary that serves";
  if (!open && verb === "switchover") {
    if (!from || runs !== "primary" || !follows(topology, from, to)) return "a planned move needs both, streaming";
    if (inPostgres && !before.sync.includes(move.to)) return "a planned move needs the standby in sync";
    if (from.host?.record.belief.state !== "good") return "both trust the record";
  }
  if (verb === "switchover" && (to.host.maintenance || from?.host?.maintenance)) return "nobody works on either node";
  const kind = move.goBack ? "go-back" : open ? (newest.primary === move.to ? "continue" : "take-over") : "new";
  const expected = kind !== "new" ? kind : verb === "switchover" ? "planned" : "unplanned";
  return move.rule === `move.${expected}` ? undefined : `it is ${expected}`;
}

test("every situation has exactly one known answer, every rule has a situation, and no move breaks what is promised", () => {
  const refusals = new Set([...wishRules, ...moveRules].map(({ id }) => id));
  const moves = new Set(allowedMoves.map(({ id }) => id));
  const hit = new Set<string>();
  const wrong: string[] = [];
  let count = 0;
  for (const choice of combinations(moveDomains)) {
    const facts = moveSituation(choice);
    if (!facts) continue;
    count++;
    const decision = decideMove(facts);
    hit.add(decision.rule);
    const known = (decision.kind === "move" ? moves : refusals).has(decision.rule);
    const broken = decision.kind === "move" ? breaks(facts, decision) : undefined;
    if (!known || broken) wrong.push(`${decision.rule}: ${broken}: ${JSON.stringify(choice)}`);
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  expect([...hit].sort()).toEqual([...refusals, ...moves].sort());
  expect(count).toBeGreaterThan(500_000);
});

test("a rejoin has one answer too, and never throws away the data of the primary or of a standby that follows", () => {
  const hit = new Set<string>();
  const wrong: string[] = [];
  for (const choice of combinations({ ...moveDomains, wish: moveDomains.wish.slice(0, 1), to: [undefined] })) {
    const facts = moveSituation(choice);
    if (!facts) continue;
    const { inventory, observation, entries } = facts;
    const decision = decideRejoin(inventory, observation);
    hit.add(decision.rule);
    if (decision.kind === "refusal") continue;
    const [node, primary] = [observation[decision.node], observation[decision.primary]];
    const allowed =
      node?.reach === "up" &&
      primary &&
      node !== primary &&
      roleOf(inventory.topology, primary).runs === "primary" &&
      !follows(inventory.topology, primary, node) &&
      entries?.[0]?.primary === decision.primary &&
      settled(entries[0]);
    if (!allowed) wrong.push(JSON.stringify(choice));
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  expect([...hit].sort()).toEqual([...rejoinRules.map(({ id }) => id), rejoinAllowed.id].sort());
});
