/** A log that keeps what is said. */
import type { Log } from "../log.ts";

export interface RecordedLog extends Log {
  said: { kind: "status" | "info" | "warn" | "error"; text: string }[];
  texts(kind: "status" | "info" | "warn" | "error"): string[];
}

export function recordedLog(): RecordedLog {
  const said: RecordedLog["said"] = [];
  return {
    said,
    texts: (kind) => said.filter((entry) => entry.kind === kind).map(({ text }) => text),
    status: (text) => said.push({ kind: "status", text }),
    info: (text) => said.push({ kind: "info", text }),
    warn: (text) => said.push({ kind: "warn", text }),
    error: (text) => said.push({ kind: "error", text }),
    delivered: async () => {},
  };
}
