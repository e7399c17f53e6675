import type { Registry } from "./registry.ts";

export interface Pulls {
  passed: number;
  /** Time and reason of each. */
  failed: string[];
  /** Most pulls that were under way at one moment. */
  atOnce: number;
}

/** Pulls one image 20 times a second while some work is done; each pull on its own connections. */
export async function pullWhile(
  registry: Registry,
  repository: string,
  digest: string,
  work: (pulls: Pulls) => Promise<void>,
): Promise<Pulls> {
  const pulls: Pulls = { passed: 0, failed: [], atOnce: 0 };
  const running = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const pull: Promise<void> = registry
      .pull(repository, digest)
      .then(
        () => void pulls.passed++,
        (error) => void pulls.failed.push(`${new Date().toISOString()} ${error.message}`),
      )
      .finally(() => running.delete(pull));
    running.add(pull);
    pulls.atOnce = Math.max(pulls.atOnce, running.size);
  }, 50);
  try {
    await work(pulls);
  } finally {
    clearInterval(timer);
    await Promise.all(running);
  }
  return pulls;
}
