import { webcrypto } from "node:crypto";
import { movedAway, movedMark, type RecordStore } from "./store.ts";

// Node 18, which some distributions have, does not offer it globally.
globalThis.crypto ??= webcrypto as Crypto;

/** A bucket of some object storage: how its requests are signed, and how it creates an object exclusively. */
export interface Bucket {
  /** As errors name it. */
  name: string;
  /** Address of the service, for errors. */
  endpoint: string;
  /** Headers with which a PUT never replaces an object. */
  createOnly: Record<string, string>;
  /** What an answer to such a PUT means that is no success; undefined: trouble. */
  refusal(status: number, code: string): "exists" | "undecided" | undefined;
  fetch(method: string, key: string, query: Record<string, string>, init: RequestInit): Promise<Response>;
}

interface Ask {
  query?: Record<string, string>;
  body?: string;
  headers?: Record<string, string>;
  /** What an answer other than success means; without a meaning it is an error. */
  means?: (status: number, code: string) => string | undefined;
}

/** One request that takes longer has failed; the child's own deadline is longer. */
const requestMs = 3_000;

/**
 * The record as objects of a bucket, each created by a PUT that never replaces. The bucket must not keep versions: on some
 * services the condition then means nothing, which the proof of exclusiveness finds.
 */
export class ObjectStore implements RecordStore {
  private readonly bucket: Bucket;
  private readonly prefix: string;

  constructor(bucket: Bucket, prefix: string) {
    this.bucket = bucket;
    this.prefix = prefix;
  }

  async numbers(after: number): Promise<number[]> {
    const found: number[] = [];
    let token: string | undefined;
    do {
      const query: Record<string, string> = { "list-type": "2", prefix: `${this.prefix}/` };
      if (token) query["continuation-token"] = token;
      else if (after > 0) query["start-after"] = this.key(after);
      const { text } = await this.ask("GET", "", { query });
      if (text.includes(`<Key>${this.prefix}/${movedMark}</Key>`)) throw new Error(movedAway);
      found.push(...[...text.matchAll(/<Key>[^<]*\/(\d{10})\.json<\/Key>/g)].map(([, digits]) => Number(digits)));
      token = /<NextContinuationToken>([^<]+)</.exec(text)?.[1]?.replaceAll("&amp;", "&");
    } while (token);
    return found.filter((number) => number > after);
  }

  async read(number: number): Promise<string> {
    return (await this.ask("GET", this.key(number))).text;
  }

  async create(number: number, text: string): Promise<"created" | "exists"> {
    const { meaning } = await this.ask("PUT", this.key(number), {
      body: text,
      headers: { ...this.bucket.createOnly, "Content-Type": "application/json" },
      means: this.bucket.refusal,
    });
    if (meaning !== "undecided") return meaning === "exists" ? "exists" : "created";
    // Two writers at once: who won is read, or nobody did.
    if ((await this.numbers(number - 1)).includes(number)) return "exists";
    throw new Error(`the object storage could not decide who creates ${this.key(number)}`);
  }

  async seal(moved: boolean): Promise<void> {
    const mark = `${this.prefix}/${movedMark}`;
    if (moved) await this.ask("PUT", mark);
    else await this.ask("DELETE", mark, { means: (status) => (status === 404 ? "gone" : undefined) });
  }

  /** Deletes everything below the prefix; for trials only. */
  async clear(): Promise<void> {
    for (const number of await this.numbers(0)) await this.ask("DELETE", this.key(number));
  }

  private key(number: number): string {
    return `${this.prefix}/${String(number).padStart(10, "0")}.json`;
  }

  private async ask(
    method: string,
    key: string,
    { query = {}, means = () => undefined, ...init }: Ask = {},
  ): Promise<{ text: string; meaning?: string }> {
    const { name, endpoint } = this.bucket;
    const answer = await this.bucket
      .fetch(method, key, query, { ...init, signal: AbortSignal.timeout(requestMs) })
      .then(async (response) => ({ response, text: await response.text() }))
      .catch((error: Error) => {
        const reason = error.name === "TimeoutError" ? "no answer in time" : reasonOf(error);
        throw new Error(`the object storage at ${endpoint}: ${reason}`);
      });
    const { status, ok } = answer.response;
    if (ok) return { text: answer.text };
    const code = /<Code>([^<]+)</.exec(answer.text)?.[1] ?? "";
    const meaning = means(status, code);
    if (meaning) return { text: "", meaning };
    throw new Error(`the object storage answered ${status} ${code} to ${method} ${name}/${key}`);
  }
}

const reasonOf = ({ message, cause }: Error) => (cause instanceof Error ? cause.message : message);
