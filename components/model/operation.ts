import { z } from "zod";

const common = {
  atEpoch: z
    .int()
    .positive()
    .describe(
      "Number of the record's entry that made today's primary the primary (`harbor-ha record show`: the newest `done` or `restored`). Once another one has, this block does nothing any more.",
    ),
  attempt: z
    .int()
    .positive()
    .default(1)
    .describe("A failed attempt is not repeated by the next `up`: raise this number to try again."),
};
const to = z.enum(["node1", "node2"]).describe("The node that is to be the primary.");

/** Operations as Pulumi resources: one at a time, by a block that may stay or go afterwards. */
export const operations = z
  .strictObject({
    switchover: z
      .strictObject({ to, ...common })
      .optional()
      .describe("Planned: after everything else of `up`, the standby becomes the primary."),
    failover: z
      .strictObject({
        to,
        ...common,
        loseUnreplicatedWrites: z.boolean().default(false).describe("Accept the loss of what the new primary lacks."),
        iSwitchedItOffByHand: z
          .boolean()
          .default(false)
          .describe("The lost node is off: you have made sure of it yourself."),
      })
      .optional()
      .describe(
        "Unplanned: before anything is restarted, the standby takes over from a primary that is lost. Set nodes.<lost>.absent too, for `up` asks every other node.",
      ),
    rejoin: z
      .strictObject(common)
      .optional()
      .describe("Before anything is restarted, the former primary becomes the standby: rewound, or copied anew."),
  })
  .refine(
    (value) => Object.values(value).filter((operation) => operation !== undefined).length <= 1,
    "must hold one operation at most",
  );
type Operations = z.infer<typeof operations>;

/** The one operation that a stack asks for. */
export const operation = z.object({
  verb: z.enum(["switchover", "failover", "rejoin"]),
  to: z.string().optional(),
  atEpoch: z.number().int(),
  attempt: z.number().int(),
  loseUnreplicatedWrites: z.boolean().optional(),
  iSwitchedItOffByHand: z.boolean().optional(),
});
export type Operation = z.infer<typeof operation>;

export function operationOf({ switchover, failover, rejoin }: Operations): Operation | undefined {
  if (switchover) return { verb: "switchover", ...switchover };
  if (failover) return { verb: "failover", ...failover };
  return rejoin && { verb: "rejoin", ...rejoin };
}
