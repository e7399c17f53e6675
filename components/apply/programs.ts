import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";

const projectDirectory = join(import.meta.dirname, "..", "..");

/** The programs every host gets: each TypeScript entry as one file for the distribution's Node (18 or newer), no packages needed. */
const entries = {
  "apply.cjs": "components/apply/host/main.ts",
  "agent.cjs": "scripts/agent/main.ts",
} as const;

/** The host programs as base64 of gzipped JSON (name → text): the same bytes for the same sources. */
export function hostPrograms(): string {
  const programs = Object.entries(entries).map(([name, entry]) => {
    const { outputFiles } = buildSync({
      entryPoints: [join(projectDirectory, entry)],
      bundle: true,
      write: false,
      platform: "node",
      target: "node18",
      format: "cjs",
      minify: true,
      legalComments: "none",
      logLevel: "silent",
      external: ["pg-native"],
    });
    return [name, outputFiles[0]?.text];
  });
  return gzipSync(JSON.stringify(Object.fromEntries(programs)), { level: 9 }).toString("base64");
}
