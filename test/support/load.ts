import { type Image, makeImage, type Registry } from "./registry.ts";

/** What became of the requests of one kind. */
export interface Requests {
  passed: number;
  /** When each began, in milliseconds since 1970, and why it failed. */
  failed: { began: number; reason: string }[];
  slowestMs: number;
}

/** The time between two requests of one kind; none waits for the one before. */
const everyMs = 500;
/** Of those that give a password: Harbor takes most of a second of CPU to check one. */
const passwordEveryMs = 3_000;

type Kinds = Record<string, () => Promise<unknown>>;

/**
 * What a registry's clients do all day, while some work is done: logins and sessions of the UI, the API with a password, tokens,
 * manifests, blobs, and one push after the other. Each request on its own connection; nothing is tried twice.
 */
export async function loadWhile(
  registry: Registry,
  repository: string,
  image: Image,
  work: () => Promise<unknown>,
): Promise<Record<string, Requests>> {
  const session = await registry.logIn();
  let bearer = await registry.token(repository, "pull");
  const [blob = ""] = image.blobs.keys();
  const withPassword: Kinds = {
    "UI login": () => registry.logIn(),
    API: () => registry.whoAmI(),
    token: async () => {
      bearer = await registry.token(repository, "pull");
    },
  };
  const without: Kinds = {
    "UI session": () => registry.whoAmI(session),
    manifest: () => registry.manifest(repository, image.digest, bearer),
    blob: () => registry.blob(repository, blob, bearer),
  };
  const kinds = [...Object.keys(withPassword), ...Object.keys(without), "push"];
  const load = Object.fromEntries(
    kinds.map((kind): [string, Requests] => [kind, { passed: 0, failed: [], slowestMs: 0 }]),
  );
  const running = new Set<Promise<void>>();
  const send = async (kind: string, request: () => Promise<unknown>) => {
    const requests = load[kind] as Requests;
    const began = Date.now();
    try {
      await request();
      requests.passed++;
    } catch (error) {
      requests.failed.push({ began, reason: (error as Error).message });
    }
    requests.slowestMs = Math.max(requests.slowestMs, Date.now() - began);
  };
  const sendAll = (kinds: Kinds) => {
    for (const [kind, request] of Object.entries(kinds)) {
      const sent = send(kind, request).finally(() => running.delete(sent));
      running.add(sent);
    }
  };
  const timers = [
    setInterval(() => sendAll(without), everyMs),
    setInterval(() => sendAll(withPassword), passwordEveryMs),
  ];
  let going = true;
  const pushes = (async () => {
    for (let count = 1; going; count++)
      await send("push", () => registry.push(`${repository}-pushed`, `n${count}`, makeImage([20_000])));
  })();
  try {
    await work();
  } finally {
    for (const timer of timers) clearInterval(timer);
    going = false;
    await Promise.all([...running, pushes]);
  }
  return load;
}

/** Requests that failed, with their kind and the time they began; without those that began in one of these periods. */
export const failures = (load: Record<string, Requests>, periods: [number, number][] = []): string[] =>
  Object.entries(load).flatMap(([kind, { failed }]) =>
    failed
      .filter(({ began }) => !periods.some(([from, to]) => from <= began && began <= to))
      .map(({ began, reason }) => `${new Date(began).toISOString()} ${kind}: ${reason}`),
  );

/** One line a kind. */
export const described = (load: Record<string, Requests>): string =>
  Object.entries(load)
    .map(
      ([kind, { passed, failed, slowestMs }]) =>
        `${kind}: ${passed} passed, ${failed.length} failed, slowest ${slowestMs} ms`,
    )
    .join("\n");
