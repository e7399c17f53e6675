import type { IncomingMessage, ServerResponse } from "node:http";

/** One HTTP request under way, with the few helpers that core's handlers share. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly method: string;
  sessionUser: string | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    this.url = new URL(request.url ?? "/", "http://core");
    this.method = request.method ?? "GET";
  }

  get writes() {
    return !["GET", "HEAD", "OPTIONS"].includes(this.method);
  }

  credentials(): { user: string; password: string } | undefined {
    const [scheme, value = ""] = (this.request.headers.authorization ?? "").split(" ");
    if (scheme?.toLowerCase() !== "basic") return undefined;
    const [user = "", ...rest] = Buffer.from(value, "base64").toString().split(":");
    return { user, password: rest.join(":") };
  }

  bearer(): string | undefined {
    return /^bearer (\S+)$/i.exec(this.request.headers.authorization ?? "")?.[1];
  }

  async body(limit = 4 << 20): Promise<Buffer> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of this.request) {
      size += part.length;
      if (size > limit) throw new Error("the request body is too large");
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  json(status: number, value: unknown, headers: Record<string, string> = {}) {
    this.response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
    this.response.end(this.method === "HEAD" ? undefined : JSON.stringify(value));
  }

  fail(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    this.json(status, { errors: [{ code, message }] }, headers);
  }
}
