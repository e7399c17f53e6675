import { Command } from "commander";
import { explain, explanationText } from "../explain/explain.ts";
import { optionsOf } from "../explain/options.ts";
import { UserError } from "../user-error.ts";

export function explainCommand(): Command {
  return new Command("explain")
    .description(
      "before paying: what a stack makes, what it costs, and what the loss of each part would mean; asks nobody",
    )
    .option("--config <file>", "a stack file (default: that of the selected stack)")
    .option("--images <GB>", "size of all images", gigabytes, 200)
    .option("--traffic <GB>", "what clients outside the region pull in a month", gigabytes, 100)
    .option("--json", "print one JSON object on stdout")
    .action(async ({ config, images, traffic, json }) => {
      const explanation = explain(await optionsOf(config), { images, traffic });
      console.log(json ? JSON.stringify(explanation) : explanationText(explanation));
    });
}

function gigabytes(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text)) throw new UserError(`"${text}" is no number of GB`, 2);
  return value;
}
