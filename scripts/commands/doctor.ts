import { styleText } from "node:util";
import type { Command } from "commander";
import { hostPaths } from "../../components/model/paths.ts";
import { quote } from "../../components/model/shell.ts";
import type { Cluster } from "../cluster/observe.ts";
import { examinePair } from "../doctor/examine.ts";
import { type Diagnosis, diagnose } from "../doctor/rules.ts";
import { checkFence } from "../failover/fence.ts";
import { readPair } from "../survey/pair.ts";
import { judge } from "../survey/rules.ts";
import { survey } from "../survey/run.ts";
import { UserError } from "../user-error.ts";
import { foreignPair, pairCommand, withPair } from "./pair.ts";

export function doctorCommand(): Command {
  return pairCommand("doctor")
    .description("everything that is broken, or would break the next failover, with the remedy; reads only")
    .option(
      "--fix",
      "mend what can be mended safely: hold packages, start units that are down; nothing is restarted or moved",
    )
    .option("--json", "print one JSON object on stdout")
    .addOption(foreignPair())
    .action(async (options) => {
      if (options.pair) {
        if (options.fix) throw new UserError("--fix mends only what harbor-ha has built: leave it out", 2);
        return tell(judge(await survey(readPair(options.pair), options.sshConfig)), options);
      }
      return withPair(options, async (cluster) => {
        const look = async () => {
          const [patient, fence] = await Promise.all([examinePair(cluster), checkFence(cluster.inventory)]);
          return diagnose({ ...patient, fence });
        };
        let found = await look();
        if (options.fix) {
          await mend(cluster, found);
          found = await look();
        }
        tell(found, options);
      });
    });
}

function tell(found: Diagnosis[], { json }: { json?: boolean }): void {
  if (json) console.log(JSON.stringify({ diagnoses: found }));
  else console.error(found.length === 0 ? styleText("green", "nothing found") : found.map(line).join("\n"));
  const unknown = found.some(({ id }) => id === "host.unreachable" || id === "host.unexamined");
  process.exitCode = unknown ? 3 : found.some(({ severity }) => severity !== "notice") ? 1 : 0;
}

async function mend(cluster: Cluster, found: Diagnosis[]): Promise<void> {
  for (const { node, fix } of found) {
    if (!node || !fix) continue;
    const command = fix.do === "hold" ? ["apt-mark", "hold", ...fix.packages] : ["systemctl", "start", fix.unit];
    const text = command.map(quote).join(" ");
    console.error(`${node}: ${text}`);
    await cluster.host(node).must(`flock -w 60 ${hostPaths.lock} ${text}`, { timeoutMs: 900_000 });
  }
}

const colours = { critical: "red", warning: "yellow", notice: "blue" } as const;
const line = ({ id, severity, sentence, remedy }: Diagnosis) =>
  `${styleText(colours[severity], severity)}: ${sentence} → ${remedy} [${id}]`;
