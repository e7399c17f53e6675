/** Dialling again: how often, how far apart, and when to stop. */
import { setTimeout as pause } from "node:timers/promises";

export interface Pace {
  firstDelay: number;
  factor: number;
  longestDelay: number;
}

export const PACE: Pace = { firstDelay: 100, factor: 1.5, longestDelay: 5000 };

export function delayBefore(failures: number, pace: Pace = PACE): number {
  return Math.min(pace.firstDelay * pace.factor ** (failures - 1), pace.longestDelay);
}

/** Limit 10 allows eleven dials, 0 one, -1 any number. */
export function isLast(dials: number, limit: number): boolean {
  return limit > -1 && dials > limit;
}

/** The engine cancelled, or the operation's time was over. */
export class Stopped extends Error {
  readonly late: boolean;

  constructor(signal: AbortSignal) {
    const late = signal.reason instanceof DOMException && signal.reason.name === "TimeoutError";
    super(late ? "context deadline exceeded" : "context canceled");
    this.late = late;
  }
}

export interface Attempts<T> {
  what: string;
  limit: number;
  pace?: Pace | undefined;
  signal: AbortSignal;
  status(line: string): void;
  attempt(): Promise<T>;
}

export async function untilDialled<T>({ what, limit, pace, signal, status, attempt }: Attempts<T>): Promise<T> {
  for (let dials = 1; ; dials += 1) {
    if (signal.aborted) throw new Stopped(signal);
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) throw new Stopped(signal);
      const reason = error instanceof Error ? error.message : String(error);
      if (isLast(dials, limit)) throw new Error(`after ${dials - 1} failed attempts: ${reason}`);
      status(`${what} ${dials}/${limit === -1 ? "inf" : limit} failed: retrying`);
    }
    await pause(delayBefore(dials, pace), undefined, { signal }).catch(() => {});
  }
}
