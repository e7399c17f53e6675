/** What running a command needs and yields, wherever it runs. */
import type { Log } from "./log.ts";
import type { PropertyMap } from "./property-value.ts";

export interface Context {
  log: Log;
  /** Raised when the engine cancels or the operation's time is over. */
  signal: AbortSignal;
}

export interface Printed {
  stdout: string;
  stderr: string;
}

/** `command` and `inputs` may carry secret marks; `previous` are the outputs of the last run. */
export type Run = (command: unknown, inputs: PropertyMap, previous: PropertyMap, context: Context) => Promise<Printed>;
