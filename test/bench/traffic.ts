import { until } from "../../scripts/roll/wait.ts";
import { type Image, makeImage, type Registry } from "../support/registry.ts";

const repository = "library/moves";

/** What clients of a registry do; each on connections of its own, and throws unless it got all it asked for. */
type Request = (registry: Registry, image: Image) => Promise<unknown>;
const requests: Record<string, Request> = {
  pull: (registry: Registry, image: Image) => registry.pull(repository, image.digest),
  push: (registry: Registry) => registry.push(repository, `at-${Date.now()}`, makeImage([2_000])),
  token: (registry: Registry) => registry.token(repository),
  login: (registry: Registry) => registry.whoAmI(),
};
const kinds = Object.entries(requests);
/** So often one begins, whether the one before has ended or not: each kind once a second. */
const everyMs = 250;

/** Steady requests of every kind through the endpoint, from `start` to `stop`. */
export class Traffic {
  readonly failed: { kind: string; reason: string }[] = [];
  /** When the newest request that passed had begun, by kind. */
  private readonly passed = new Map<string, number>();
  private readonly running = new Set<Promise<void>>();
  private readonly timer: NodeJS.Timeout;

  private constructor(registry: Registry, image: Image) {
    let turn = 0;
    this.timer = setInterval(() => {
      const [kind, request] = kinds[turn++ % kinds.length] as [string, Request];
      this.begin(kind, request(registry, image));
    }, everyMs);
  }

  /** Begins, and comes back when requests of every kind pass. */
  static async start(registry: Registry): Promise<Traffic> {
    const image = makeImage([50_000]);
    await registry.push(repository, "pulled", image);
    const traffic = new Traffic(registry, image);
    await traffic.passes();
    return traffic;
  }

  /** Until requests of every kind have passed that began after this moment. */
  async passes(): Promise<void> {
    const now = Date.now();
    await until("requests of every kind pass", 180_000, async () =>
      kinds.every(([kind]) => (this.passed.get(kind) ?? 0) > now),
    );
  }

  /** Begins no more, and waits for those under way. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.running);
  }

  private begin(kind: string, sent: Promise<unknown>): void {
    const began = Date.now();
    const request = sent
      .then(
        () => void this.passed.set(kind, Math.max(began, this.passed.get(kind) ?? 0)),
        (error: Error) => void this.failed.push({ kind, reason: error.message }),
      )
      .finally(() => this.running.delete(request));
    this.running.add(request);
  }
}
