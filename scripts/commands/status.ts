import { setTimeout } from "node:timers/promises";
import { styleText } from "node:util";
import { type Command, InvalidArgumentError } from "commander";
import type { Cluster } from "../cluster/observe.ts";
import { columns } from "../columns.ts";
import { examinePair } from "../doctor/examine.ts";
import { condition } from "../doctor/rules.ts";
import { type Pair, readPair } from "../survey/pair.ts";
import { judge, table } from "../survey/rules.ts";
import { survey } from "../survey/run.ts";
import { foreignPair, pairCommand, withPair } from "./pair.ts";

interface Options {
  json?: boolean;
  watch?: boolean;
  /** Seconds. */
  wait: number;
}

/** What one look at a pair comes to; `text` for people, everything for programs. */
interface Look {
  healthy: boolean;
  /** Whether a host could not be asked. */
  unknown: boolean;
  text: string;
  [detail: string]: unknown;
}

export function statusCommand(): Command {
  return pairCommand("status")
    .description("who is what, and what is wrong; reads only")
    .option("--json", "print one JSON object on stdout")
    .option("--watch", "look again and again, until Ctrl-C")
    .option("--wait <seconds>", "look again until it is healthy, for so long at most", seconds, 0)
    .addOption(foreignPair())
    .action((options) => {
      if (!options.pair) return withPair(options, (cluster) => show(options, () => lookAtPair(cluster)));
      const pair = readPair(options.pair);
      return show(options, () => lookAtForeignPair(pair, options.sshConfig));
    });
}

async function lookAtPair(cluster: Cluster): Promise<Look> {
  const patient = await examinePair(cluster);
  return { ...condition(patient), examinations: patient.examinations };
}

async function lookAtForeignPair(pair: Pair, sshConfig?: string): Promise<Look> {
  const visits = await survey(pair, sshConfig);
  const findings = judge(visits).filter(({ severity }) => severity === "critical");
  const healthy = findings.length === 0;
  const verdict = healthy
    ? [styleText("green", "nothing is broken")]
    : [styleText("red", "not healthy"), ...findings.map(({ id, sentence }) => `  ${sentence} [${id}]`)];
  const text = [...verdict, ...columns(table(visits))].join("\n");
  return { healthy, unknown: visits.some(({ found }) => !found), findings, nodes: visits, text };
}

/** As often as asked for; the exit code says how the last look ended. */
async function show({ json, watch, wait }: Options, look: () => Promise<Look>): Promise<void> {
  const deadline = Date.now() + wait * 1_000;
  for (;;) {
    const found = await look();
    if (!found.healthy && !watch && Date.now() < deadline) {
      await setTimeout(1_000);
      continue;
    }
    if (watch && process.stderr.isTTY) process.stderr.write(clearScreen);
    if (json) console.log(JSON.stringify(found, null, watch ? undefined : 2));
    else console.error(found.text);
    process.exitCode = found.healthy ? 0 : found.unknown ? 3 : 1;
    if (!watch) return;
    if (!json) console.error(new Date().toISOString());
    await setTimeout(1_000);
  }
}

function seconds(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("a whole number of seconds is expected");
  return Number(text);
}

const clearScreen = "\x1b[2J\x1b[H";
