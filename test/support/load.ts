import { type Image, makeImage, type Registry, type UiSession } from "./registry.ts";

/** What became of the requests of one kind. */
export interface Requests {
  passed: number;
  /** Time and reason of each. */
  failed: string[];
  slowestMs: number;
}

/** The time between two requests of one kind; none waits for the one before. */
const everyMs = 200;

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
  const kinds = requestsOf(registry, session, repository, image);
  const load = Object.fromEntries(
    [...Object.keys(kinds), "push"].map((kind): [string, Requests] => [kind, { passed: 0, failed: [], slowestMs: 0 }]),
  );
  const running = new Set<Promise<void>>();
  const send = async (kind: string, request: () => Promise<unknown>) => {
    const requests = load[kind] as Requests;
    const began = performance.now();
    try {
      await request();
      requests.passed++;
    } catch (error) {
      requests.failed.push(`${new Date().toISOString()} ${(error as Error).message}`);
    }
    requests.slowestMs = Math.max(requests.slowestMs, performance.now() - began);
  };
  const timer = setInterval(() => {
    for (const [kind, request] of Object.entries(kinds)) {
      const sent = send(kind, request).finally(() => running.delete(sent));
      running.add(sent);
    }
  }, everyMs);
  let going = true;
  const pushes = (async () => {
    for (let count = 1; going; count++)
      await send("push", () => registry.push(`${repository}-pushed`, `n${count}`, makeImage([20_000])));
  })();
  try {
    await work();
  } finally {
    clearInterval(timer);
    going = false;
    await Promise.all([...running, pushes]);
  }
  return load;
}

/** All requests that failed, with their kind. */
export const failures = (load: Record<string, Requests>): string[] =>
  Object.entries(load).flatMap(([kind, { failed }]) => failed.map((reason) => `${kind}: ${reason}`));

function requestsOf(
  registry: Registry,
  session: UiSession,
  repository: string,
  { digest, blobs }: Image,
): Record<string, () => Promise<unknown>> {
  const [blob] = blobs.keys();
  return {
    "UI login": () => registry.logIn(),
    "UI session": () => registry.whoAmI(session),
    API: () => registry.whoAmI(),
    token: () => registry.token(repository, "pull"),
    manifest: () => registry.manifest(repository, digest),
    blob: () => registry.blob(repository, blob ?? ""),
  };
}
