import type { Belief, Reading, RecordEntry } from "../../components/model/record.ts";

/** Why an operation with this token may not go on; undefined: the newest entry is its intent. Pure. */
export function objectionTo(token: string, belief: Belief): string | undefined {
  if (belief.state !== "good")
    return `nothing was done: the record cannot be trusted (${belief.state === "unreadable" ? belief.reason : "there is none"})`;
  const { newest } = belief;
  return newest.kind === "intent" && newest.token === token
    ? undefined
    : `nothing was done: entry ${newest.epoch} (${newest.kind}, by ${newest.by}) has taken over`;
}

/** A record that went back, vanished or belongs to another database counts as unreadable. Pure. */
export function believe(reading: Reading, known: RecordEntry | undefined): Belief {
  const unreadable = (reason: string): Belief => ({ state: "unreadable", reason });
  if (reading.state === "unreadable") return reading;
  if (reading.state === "empty")
    return known
      ? unreadable(
          `the record is empty, but this node has seen its entry ${known.epoch}: it is lost or not the right one`,
        )
      : { state: "none" };
  const { newest } = reading;
  if (!known) return { state: "good", newest };
  if (newest.epoch < known.epoch)
    return unreadable(
      `the record ends at entry ${newest.epoch}, but this node has seen entry ${known.epoch}: it went back`,
    );
  if (newest.epoch === known.epoch && (newest.token !== known.token || newest.kind !== known.kind))
    return unreadable(`entry ${newest.epoch} of the record is not the one this node has seen: it is another record`);
  if (known.systemIdentifier && newest.systemIdentifier !== known.systemIdentifier)
    return unreadable("the record is that of another database");
  return { state: "good", newest };
}
