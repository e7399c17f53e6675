import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { UserError } from "../user-error.ts";

/** A Harbor pair that this toolkit did not build: two nodes, each as ssh takes it (`user@host`, an alias, `ssh://user@host:port`). */
const pair = z.strictObject({
  nodes: z
    .record(
      z.string(),
      // ssh takes what begins with a hyphen for an option.
      z.string().regex(/^[^\s-]\S*$/, "expected what ssh takes, such as root@192.0.2.11"),
    )
    .refine((nodes) => Object.keys(nodes).length === 2, "expected two nodes"),
});
export type Pair = z.infer<typeof pair>;

/** Reads the small file that `--pair` names. @throws UserError with every problem. */
export function readPair(file: string): Pair {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${(error as Error).message}`, 2);
  }
  return parsePair(text, file);
}

export function parsePair(text: string, file: string): Pair {
  const problem = (words: string) =>
    new UserError(
      `${file} does not say where the pair is:\n${words}\nExpected:\n  nodes:\n    one: root@192.0.2.11\n    two: ssh://ops@192.0.2.12:2222`,
      2,
    );
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw problem((error as Error).message.trim());
  }
  const { success, data, error } = pair.safeParse(value);
  if (!success) throw problem(z.prettifyError(error));
  return data;
}
