import { setTimeout } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { examinePair } from "../doctor/examine.ts";
import { condition } from "../doctor/rules.ts";
import { pairCommand, withPair } from "./pair.ts";

export function statusCommand(): Command {
  return pairCommand("status")
    .description("who is what, and what is wrong; reads only")
    .option("--json", "print one JSON object on stdout")
    .option("--watch", "look again and again, until Ctrl-C")
    .option("--wait <seconds>", "look again until it is healthy, for so long at most", seconds, 0)
    .action((options) =>
      withPair(options, async (cluster) => {
        const deadline = Date.now() + options.wait * 1_000;
        for (;;) {
          const patient = await examinePair(cluster);
          const summary = { ...condition(patient), examinations: patient.examinations };
          if (!summary.healthy && !options.watch && Date.now() < deadline) {
            await setTimeout(1_000);
            continue;
          }
          if (options.watch && process.stderr.isTTY) process.stderr.write(clearScreen);
          if (options.json) console.log(JSON.stringify(summary, null, options.watch ? undefined : 2));
          else console.error(summary.text);
          process.exitCode = summary.healthy ? 0 : summary.unknown ? 3 : 1;
          if (!options.watch) return;
          if (!options.json) console.error(new Date().toISOString());
          await setTimeout(1_000);
        }
      }),
    );
}

function seconds(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("a whole number of seconds is expected");
  return Number(text);
}

const clearScreen = "\x1b[2J\x1b[H";
