import { decideBoot, decideRedisBoot } from "./boot.ts";
import { readBootFacts } from "./boot-facts.ts";
import { configuredRedisRole } from "./data.ts";
import { writeKnown } from "./known.ts";
import { readSettings } from "./settings.ts";

/**
 * ExecStartPre of PostgreSQL's and Redis' units: whoever starts them, the record decides. @returns the exit code.
 */
export async function gate(service: string | undefined): Promise<number> {
  const facts = await readBootFacts(readSettings());
  const decision = service === "redis" ? decideRedisBoot(facts, configuredRedisRole()) : decideBoot(facts);
  if (decision.start === "no") {
    console.error(`${service} stays down: ${decision.sentence} → ${decision.remedy} [${decision.rule}]`);
    return 1;
  }
  if (facts.belief.state === "good") writeKnown(facts.belief.newest);
  return 0;
}
