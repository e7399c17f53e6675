import { webcrypto } from "node:crypto";
import { AwsClient } from "aws4fetch";
import type { RecordAccess } from "../../components/model/record.ts";
import { movedAway, movedMark, type RecordStore } from "./store.ts";

// Node 18, which some distributions have, does not offer it globally.
globalThis.crypto ??= webcrypto as Crypto;

type Place = Extract<RecordAccess, { kind: "s3" }>;

/** One request that takes longer has failed; the child's own deadline is longer. */
const requestMs = 3_000;

/**
 * The record as objects of an S3-compatible bucket, created by a PUT with `If-None-Match: *`. The bucket must not keep
 * versions: on some servers the condition then means nothing, which the proof of exclusiveness finds.
 */
export class S3Store implements RecordStore {
  private readonly place: Place;
  private readonly prefix: string;
  private readonly client: AwsClient;

  constructor(place: Place, prefix = place.prefix) {
    const { accessKeyId, secretAccessKey, region } = place;
    this.place = place;
    this.prefix = prefix;
    this.client = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3", retries: 0 });
  }

  async numbers(after: number): Promise<number[]> {
    const found: number[] = [];
    let token: string | undefined;
    do {
      const query = new URLSearchParams({ "list-type": "2", prefix: `${this.prefix}/` });
      if (token) query.set("continuation-token", token);
      else if (after > 0) query.set("start-after", this.key(after));
      const text = await (await this.ask("GET", "", { query })).text();
      if (text.includes(`<Key>${this.prefix}/${movedMark}</Key>`)) throw new Error(movedAway);
      found.push(...[...text.matchAll(/<Key>[^<]*\/(\d{10})\.json<\/Key>/g)].map(([, digits]) => Number(digits)));
      token = /<NextContinuationToken>([^<]+)</.exec(text)?.[1]?.replaceAll("&amp;", "&");
    } while (token);
    return found.filter((number) => number > after);
  }

  async read(number: number): Promise<string> {
    return (await this.ask("GET", this.key(number))).text();
  }

  async create(number: number, text: string): Promise<"created" | "exists"> {
    const headers = { "If-None-Match": "*", "Content-Type": "application/json" };
    const { status } = await this.ask("PUT", this.key(number), { body: text, headers, accept: [409, 412] });
    if (status === 412) return "exists";
    // Two writers at once: who won is read, or nobody did.
    if (status === 409 && (await this.numbers(number - 1)).includes(number)) return "exists";
    if (status === 409) throw new Error(`the object storage could not decide who creates ${this.key(number)}`);
    return "created";
  }

  async seal(moved: boolean): Promise<void> {
    await this.ask(moved ? "PUT" : "DELETE", `${this.prefix}/${movedMark}`, { accept: [404] });
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
    {
      query,
      accept = [],
      ...init
    }: { query?: URLSearchParams; accept?: number[]; body?: string; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const url = `${this.place.endpoint.replace(/\/$/, "")}/${this.place.bucket}/${key}${query ? `?${query}` : ""}`;
    let response: Response;
    try {
      response = await this.client.fetch(url, { method, signal: AbortSignal.timeout(requestMs), ...init });
    } catch (error) {
      const reason = (error as Error).name === "TimeoutError" ? "no answer in time" : reasonOf(error as Error);
      throw new Error(`the object storage at ${this.place.endpoint}: ${reason}`);
    }
    if (response.ok || accept.includes(response.status)) return response;
    const code = /<Code>([^<]+)</.exec(await response.text())?.[1] ?? "";
    throw new Error(`the object storage answered ${response.status} ${code} to ${method} ${this.place.bucket}/${key}`);
  }
}

const reasonOf = ({ message, cause }: Error) => (cause instanceof Error ? cause.message : message);
