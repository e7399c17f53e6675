/** Calls of the provider as tests make them: with a name, a log and, unless told, nobody who cancels. */
import type { Call } from "../provider.ts";
import { recordedLog } from "./recorded-log.ts";

export const LOCAL = "urn:pulumi:dev::project::command:local:Command::greeting";
export const REMOTE = "urn:pulumi:dev::project::command:remote:Command::greeting";

export function calling(overrides: Partial<Call> = {}) {
  const log = recordedLog();
  return { signal: new AbortController().signal, preview: false, ...overrides, log };
}

export const preview = () => calling({ preview: true });
