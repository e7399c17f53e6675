import { until } from "../../scripts/roll/wait.ts";
import { type Image, makeImage, type Registry } from "./registry.ts";

/** Requests of several kinds. One begins every so many milliseconds, whether the one before has ended or not. */
export type Kinds = Record<string, { everyMs: number; request: () => Promise<unknown> }>;

/** A request that did not get all it asked for; times in milliseconds since 1970. */
interface Failure {
  kind: string;
  began: number;
  ended: number;
  reason: string;
}

/** Steady requests from now until `stop`. Nothing is tried twice. */
export class Load {
  /** In the order of their ends. */
  readonly failed: Failure[] = [];
  private readonly passed: Record<string, { count: number; newest: number; slowestMs: number }>;
  private readonly running = new Set<Promise<void>>();
  private readonly timers: NodeJS.Timeout[] = [];

  constructor(kinds: Kinds) {
    const all = Object.entries(kinds);
    this.passed = Object.fromEntries(all.map(([kind]) => [kind, { count: 0, newest: 0, slowestMs: 0 }]));
    // Spread over the time between two of a kind: a short silence meets some of them.
    for (const [index, [kind, { everyMs, request }]] of all.entries()) {
      const begin = () => this.timers.push(setInterval(() => this.send(kind, request), everyMs));
      this.timers.push(setTimeout(begin, (everyMs * index) / all.length));
    }
  }

  /** Until requests of every kind have passed that began after this moment. */
  async passes(): Promise<void> {
    const now = Date.now();
    await until("requests of every kind pass", 180_000, async () =>
      Object.values(this.passed).every(({ newest }) => newest > now),
    );
  }

  /** Begins no more, and waits for those under way. */
  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await Promise.all(this.running);
  }

  /** Failures in words, without those that were under way in one of these periods. */
  failures(periods: [number, number][] = []): string[] {
    return this.failed
      .filter(({ began, ended }) => !periods.some(([from, to]) => from <= ended && began <= to))
      .map(({ kind, began, reason }) => `${new Date(began).toISOString()} ${kind}: ${reason}`);
  }

  /** One line a kind. */
  described(): string {
    return Object.entries(this.passed)
      .map(([kind, { count, slowestMs }]) => {
        const failed = this.failed.filter((failure) => failure.kind === kind).length;
        return `${kind}: ${count} passed, ${failed} failed, slowest ${slowestMs} ms`;
      })
      .join("\n");
  }

  private send(kind: string, request: () => Promise<unknown>): void {
    const began = Date.now();
    const passed = this.passed[kind];
    const sent = request()
      .then(
        () => {
          if (!passed) return;
          passed.count++;
          passed.newest = Math.max(began, passed.newest);
          passed.slowestMs = Math.max(passed.slowestMs, Date.now() - began);
        },
        (error: Error) => void this.failed.push({ kind, began, ended: Date.now(), reason: error.message }),
      )
      .finally(() => this.running.delete(sent));
    this.running.add(sent);
  }
}

/** Of requests that give a password: Harbor takes most of a second of CPU to check one. */
const passwordEveryMs = 3_000;
const pushEveryMs = 1_500;
const everyMs = 500;

/**
 * What a registry's clients do all day, while some work is done: logins and sessions of the UI, the API with a password, tokens,
 * manifests, blobs and pushes.
 */
export async function loadWhile(
  registry: Registry,
  repository: string,
  image: Image,
  work: () => Promise<unknown>,
): Promise<Load> {
  const session = await registry.logIn();
  let bearer = await registry.token(repository, "pull");
  const [blob = ""] = image.blobs.keys();
  let count = 0;
  const load = new Load({
    "UI login": { everyMs: passwordEveryMs, request: () => registry.logIn() },
    API: { everyMs: passwordEveryMs, request: () => registry.whoAmI() },
    token: {
      everyMs: passwordEveryMs,
      request: async () => {
        bearer = await registry.token(repository, "pull");
      },
    },
    push: {
      everyMs: pushEveryMs,
      request: () => registry.push(`${repository}-pushed`, `n${++count}`, makeImage([20_000])),
    },
    "UI session": { everyMs, request: () => registry.whoAmI(session) },
    manifest: { everyMs, request: () => registry.manifest(repository, image.digest, bearer) },
    blob: { everyMs, request: () => registry.blob(repository, blob, bearer) },
  });
  try {
    await work();
  } finally {
    await load.stop();
  }
  return load;
}
