import type { Redis } from "ioredis";
import { query } from "./database.ts";
import { orNothing } from "./session.ts";

interface Component {
  name: string;
  status: "healthy" | "unhealthy";
  error?: string;
}

/**
 * Each component is looked at every 10 s, and the next look starts when the last has ended: one that hangs keeps its
 * old status, which is why Harbor calls a database that silently went away healthy.
 */
export class Health {
  readonly #components = new Map<string, Component>();

  constructor(redis: Redis) {
    const env = process.env;
    const secret = { authorization: `Harbor-Secret ${env.CORE_SECRET}` };
    this.#watch("core", async () => {});
    this.#watch("portal", () => get(`${env.PORTAL_URL}/`));
    this.#watch("jobservice", () => get(`${env.JOBSERVICE_URL}/api/v1/stats`, secret));
    this.#watch("registry", () => get(`${env.REGISTRY_URL}/`));
    this.#watch("registryctl", () => get(`${env.REGISTRY_CONTROLLER_URL}/api/health`));
    this.#watch("database", () => query("select 1"));
    this.#watch("redis", async () => {
      if (!(await orNothing(redis, redis.ping()))) throw new Error("no answer from redis");
    });
  }

  report() {
    const components = [...this.#components.values()];
    const healthy = components.every((component) => component.status === "healthy");
    return { status: healthy ? "healthy" : "unhealthy", components, stand_in: true };
  }

  async #watch(name: string, look: () => Promise<unknown>) {
    this.#components.set(name, { name, status: "unhealthy", error: "not looked at yet" });
    for (;;) {
      try {
        await look();
        this.#components.set(name, { name, status: "healthy" });
      } catch (error) {
        this.#components.set(name, { name, status: "unhealthy", error: (error as Error).message });
      }
      await new Promise((resolve) => setTimeout(resolve, 10_000));
    }
  }
}

async function get(url: string, headers: Record<string, string> = {}) {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(60_000) });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
}
