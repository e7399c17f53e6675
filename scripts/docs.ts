// Writes docs/ from the configuration's own schema, the decision tables and the runbook (`npm run docs`).
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { guarantees, runbook } from "../components/runbook.ts";
import { configDocuments } from "./docs/config.ts";
import { decisionsDocument } from "./docs/decisions.ts";
import { projectDirectory } from "./paths.ts";

/** Everything under docs/: text by path from the project's directory. Pure. */
export function documents(): Record<string, string> {
  return { ...configDocuments(), "docs/decisions.md": decisionsDocument(), "docs/runbook.md": runbookDocument() };
}

function runbookDocument(): string {
  const entries = runbook.map(
    ({ when, run, expect, otherwise }) =>
      `## ${when}\n\n\`\`\`sh\n${run.join("\n")}\n\`\`\`\n\nExpect: ${expect}.\n\nIf not: ${otherwise}.\n`,
  );
  return `<!-- Made by \`npm run docs\` from components/runbook.ts. -->
# Runbook

The same text is the stack output \`runbook\`. Commands run in \`npm run shell\`, or with \`npx\`. Exit codes: 0 done, 1 failed, 2 refused by a
rule, 3 a host could not be asked.

${entries.join("\n")}
## What is guaranteed, and what is not

${guarantees.map((line) => `- ${line}\n`).join("")}`;
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(documents())) {
    mkdirSync(join(projectDirectory, "docs"), { recursive: true });
    writeFileSync(join(projectDirectory, path), text);
    console.error(`wrote ${path}`);
  }
}
