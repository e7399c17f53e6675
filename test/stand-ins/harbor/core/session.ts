import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Redis } from "ioredis";

/** Redis as Harbor's core uses it: a hanging one costs every request some seconds, then the request goes on without. */
export function openRedis(url: string) {
  const { hostname, port, username, password, pathname } = new URL(url);
  const redis = new Redis({
    host: hostname,
    port: Number(port) || 6379,
    username: decodeURIComponent(username) || undefined,
    password: decodeURIComponent(password) || undefined,
    db: Number(pathname.slice(1)),
    connectTimeout: 5000,
    commandTimeout: 8000,
    maxRetriesPerRequest: 2,
    retryStrategy: () => 700,
  });
  redis.on("error", (error: Error) => console.error(`redis: ${error.message}`));
  return redis;
}

/** A lost answer leaves the connection in doubt: drop it, so that the next request dials anew. */
export async function orNothing<T>(redis: Redis, command: Promise<T>): Promise<T | undefined> {
  try {
    return await command;
  } catch (error) {
    if ((error as Error).message === "Command timed out" && redis.status === "ready") redis.disconnect(true);
    return undefined;
  }
}

export class Sessions {
  readonly #redis: Redis;
  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Reads Redis once for every request, with or without a session, as Harbor does even for /ping. */
  async user(request: IncomingMessage): Promise<string | undefined> {
    const sid = cookie(request, "sid") ?? randomBytes(16).toString("hex");
    return (await orNothing(this.#redis, this.#redis.get(key(sid)))) ?? undefined;
  }

  async open(response: ServerResponse, user: string) {
    const sid = randomBytes(32).toString("hex");
    await this.#redis.set(key(sid), user, "EX", 3600);
    response.appendHeader("set-cookie", `sid=${sid}; Path=/; HttpOnly`);
  }

  async close(request: IncomingMessage) {
    await this.#redis.del(key(cookie(request, "sid") ?? ""));
  }
}

/** The UI's guard: a cookie and a header, both signed with CSRF_KEY, so that nodes with different keys refuse. */
export class CsrfGuard {
  readonly #key: string;
  constructor(key: string) {
    this.#key = key;
  }

  issue(request: IncomingMessage, response: ServerResponse) {
    let nonce = cookie(request, "_gorilla_csrf")?.split(".")[0];
    if (!nonce || !this.#valid(request)) {
      nonce = randomBytes(32).toString("hex");
      response.appendHeader("set-cookie", `_gorilla_csrf=${nonce}.${this.#sign(`cookie ${nonce}`)}; Path=/; HttpOnly`);
    }
    response.setHeader("x-harbor-csrf-token", this.#sign(`header ${nonce}`));
  }

  passes(request: IncomingMessage) {
    if (this.#key.length !== 32) throw new Error("CSRF_KEY must have 32 characters");
    const nonce = cookie(request, "_gorilla_csrf")?.split(".")[0] ?? "";
    return this.#valid(request) && same(request.headers["x-harbor-csrf-token"], this.#sign(`header ${nonce}`));
  }

  #valid(request: IncomingMessage) {
    const [nonce = "", signature] = cookie(request, "_gorilla_csrf")?.split(".") ?? [];
    return same(signature, this.#sign(`cookie ${nonce}`));
  }

  #sign(text: string) {
    return createHmac("sha256", this.#key).update(text).digest("hex");
  }
}

function same(a: string | string[] | undefined, b: string) {
  return typeof a === "string" && a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function cookie(request: IncomingMessage, name: string) {
  const pairs = (request.headers.cookie ?? "").split(/;\s*/);
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

function key(sid: string) {
  return `stand-in:session:${sid}`;
}
