import { readFileSync } from "node:fs";
import { bundle } from "../../model/bundle.ts";
import { apply, thisMachine } from "./apply.ts";

process.umask(0o022);
try {
  const { changed, restartNeeded } = apply(bundle.parse(JSON.parse(readFileSync(0, "utf8"))), thisMachine);
  // The result becomes a stack output: nothing that differs between two equal runs belongs here.
  console.log(JSON.stringify({ changed, restartNeeded }));
} catch (error) {
  console.error(`harbor-ha apply: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
