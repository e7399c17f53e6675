/** A pair that costs money, as the smoke test handles it. */
export interface PaidPair {
  up(signal: AbortSignal): Promise<void>;
  /** Looks and tries; a failure is thrown. */
  checks: [what: string, check: (signal: AbortSignal) => Promise<void>][];
  /** Takes everything down. May be called again, whatever is left. */
  destroy(): Promise<void>;
  /** What is still there, and paid for. */
  remains(): Promise<string[]>;
}

export interface Limits {
  /** Yuan an hour, by `explain`. */
  perHour: number;
  /** Yuan that may be spent. */
  cap: number;
}

/** Destroying takes its time, which is paid for too. */
const reserve = 0.25;
const attempts = 5;

/** How long the pair may live, in milliseconds, so that the cap also pays for taking it down. */
export const lifetimeMs = ({ perHour, cap }: Limits): number => ((cap * (1 - reserve)) / perHour) * 3_600_000;

/**
 * Makes a pair, checks it, and takes it down whatever happens: a failed check, the cap, or `interrupted`.
 * @returns whether every check passed and nothing is left.
 */
export async function smoke(
  pair: PaidPair,
  limits: Limits,
  log: (line: string) => void,
  interrupted: AbortSignal,
): Promise<boolean> {
  const end = AbortSignal.any([interrupted, AbortSignal.timeout(Math.floor(lifetimeMs(limits)))]);
  let passed = false;
  try {
    await orEnd(pair.up(end), end);
    for (const [what, check] of pair.checks) {
      await orEnd(check(end), end);
      log(`passed: ${what}`);
    }
    passed = true;
  } catch (error) {
    log(`failed: ${end.aborted ? endReason(interrupted) : (error as Error).message}`);
  }
  return (await tearDown(pair, log)) && passed;
}

/** Takes a pair down and makes sure of it. */
export async function tearDown(
  pair: Pick<PaidPair, "destroy" | "remains">,
  log: (line: string) => void,
): Promise<boolean> {
  let left: string[] = ["everything"];
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      await pair.destroy();
      left = await pair.remains();
      if (left.length === 0) {
        log("everything is gone");
        return true;
      }
    } catch (error) {
      log(`taking it down, attempt ${attempt} of ${attempts}: ${(error as Error).message}`);
    }
  }
  log(`STILL THERE AND PAID FOR: ${left.join(", ")}`);
  return false;
}

const endReason = (interrupted: AbortSignal) => (interrupted.aborted ? "interrupted" : "the cap is reached");

function orEnd<T>(work: Promise<T>, end: AbortSignal): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_, reject) => {
      if (end.aborted) reject(new Error("ended"));
      end.addEventListener("abort", () => reject(new Error("ended")), { once: true });
    }),
  ]);
}
