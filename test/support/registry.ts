import { createHash, randomBytes } from "node:crypto";
import { Agent, request } from "node:https";
import { gzipSync } from "node:zlib";

export interface RegistryOptions {
  host: string;
  port: number;
  ca: string;
  user: string;
  password: string;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";
export const sha256 = (data: Buffer | string) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

/** An image as its parts. */
export interface Image {
  manifest: Buffer;
  digest: string;
  blobs: Map<string, Buffer>;
}

/** A small image of random layers, so that nothing can come from a cache. */
export function makeImage(layerSizes: number[], shared: Buffer[] = []): Image {
  const layers = [...shared, ...layerSizes.map((size) => gzipSync(randomBytes(size)))];
  const config = Buffer.from(
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: layers.map(sha256) } }),
  );
  const describe = (mediaType: string, data: Buffer) => ({ mediaType, size: data.length, digest: sha256(data) });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: describe("application/vnd.oci.image.config.v1+json", config),
      layers: layers.map((layer) => describe("application/vnd.oci.image.layer.v1.tar+gzip", layer)),
    }),
  );
  return {
    manifest,
    digest: sha256(manifest),
    blobs: new Map([config, ...layers].map((data) => [sha256(data), data])),
  };
}

/** Headers of a session of the UI. */
export interface UiSession extends Record<string, string> {
  cookie: string;
}

/** Of several answers the last cookie of a name counts. */
const cookies = (...answers: Answer[]) => {
  const lines = answers.flatMap(({ headers }) => headers["set-cookie"] ?? []);
  return Object.values(Object.fromEntries(lines.map((line) => [line.split("=", 1)[0], line.split(";", 1)[0]]))).join(
    "; ",
  );
};

/** A registry client that trusts one CA, follows no cache and checks every digest. Each call opens its own connection. */
export class Registry {
  private readonly options: RegistryOptions;
  constructor(options: RegistryOptions) {
    this.options = options;
  }

  call(method: string, path: string, headers: Record<string, string> = {}, body?: Buffer): Promise<Answer> {
    const { host, port, ca } = this.options;
    return new Promise((resolve, reject) => {
      const call = request(
        // The certificate names the endpoint; a node is asked by its own address.
        {
          host,
          port,
          ca,
          method,
          path,
          headers,
          agent: new Agent({ keepAlive: false }),
          checkServerIdentity: () => undefined,
          timeout: 30_000,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
          );
        },
      );
      call.on("timeout", () => call.destroy(new Error(`${method} ${path}: no answer in 30 s`)));
      call.on("error", reject);
      call.end(body);
    });
  }

  basic(): Record<string, string> {
    return {
      authorization: `Basic ${Buffer.from(`${this.options.user}:${this.options.password}`).toString("base64")}`,
    };
  }

  async token(repository: string, actions = "pull,push"): Promise<Record<string, string>> {
    const { status, body } = await this.call(
      "GET",
      `/service/token?service=harbor-registry&scope=repository:${repository}:${actions}`,
      this.basic(),
    );
    if (status !== 200) throw new Error(`token: ${status} ${body}`);
    const { token } = JSON.parse(body.toString());
    // Without its database Harbor gives a token all the same, one without rights.
    const [granted] = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).access ?? [];
    if (!actions.split(",").every((action) => granted?.actions.includes(action)))
      throw new Error("token: one without rights");
    return { authorization: `Bearer ${token}` };
  }

  async push(repository: string, tag: string, image: Image): Promise<void> {
    const bearer = await this.token(repository);
    for (const [digest, data] of image.blobs) {
      const start = expectStatus(
        await this.call("POST", `/v2/${repository}/blobs/uploads/`, { ...bearer, "content-length": "0" }),
        202,
        "start of upload",
      );
      const location = new URL(String(start.headers.location), "https://registry.invalid");
      location.searchParams.set("digest", digest);
      const put = { ...bearer, "content-type": "application/octet-stream", "content-length": String(data.length) };
      expectStatus(await this.call("PUT", location.pathname + location.search, put, data), 201, "upload");
    }
    const headers = { ...bearer, "content-type": manifestType, "content-length": String(image.manifest.length) };
    expectStatus(
      await this.call("PUT", `/v2/${repository}/manifests/${tag}`, headers, image.manifest),
      201,
      "manifest",
    );
  }

  /** Pulls manifest and all blobs; throws on any missing or wrong byte. */
  async pull(repository: string, reference: string): Promise<string> {
    const bearer = await this.token(repository, "pull");
    const manifest = await this.manifest(repository, reference, bearer);
    const { config, layers } = JSON.parse(manifest.toString());
    for (const { digest } of [config, ...layers]) await this.blob(repository, digest, bearer);
    return sha256(manifest);
  }

  async manifest(repository: string, reference: string, bearer?: Record<string, string>): Promise<Buffer> {
    const headers = { ...(bearer ?? (await this.token(repository, "pull"))), accept: manifestType };
    return expectStatus(await this.call("GET", `/v2/${repository}/manifests/${reference}`, headers), 200, "manifest")
      .body;
  }

  async blob(repository: string, digest: string, bearer?: Record<string, string>): Promise<void> {
    const headers = bearer ?? (await this.token(repository, "pull"));
    const { body } = expectStatus(await this.call("GET", `/v2/${repository}/blobs/${digest}`, headers), 200, "blob");
    if (sha256(body) !== digest) throw new Error(`blob ${digest} came back as ${sha256(body)}`);
  }

  /** As the UI does: a guard's cookie and header first, then the form; the session lies in Redis. */
  async logIn(): Promise<UiSession> {
    // Whatever it answers: the API gives no guard to whoever has no session.
    const page = await this.call("GET", "/c/login");
    const guard = { "x-harbor-csrf-token": String(page.headers["x-harbor-csrf-token"]) };
    const form = new URLSearchParams({ principal: this.options.user, password: this.options.password });
    const headers = { ...guard, cookie: cookies(page), "content-type": "application/x-www-form-urlencoded" };
    const answer = await this.call("POST", "/c/login", headers, Buffer.from(form.toString()));
    expectStatus(answer, 200, "UI login");
    return { ...guard, cookie: cookies(page, answer) };
  }

  /** By password, or by a session of the UI. */
  async whoAmI(session?: UiSession): Promise<void> {
    expectStatus(await this.call("GET", "/api/v2.0/users/current", { ...(session ?? this.basic()) }), 200, "who am I");
  }
}

function expectStatus(answer: Answer, status: number, what: string): Answer {
  if (answer.status !== status)
    throw new Error(`${what}: HTTP ${answer.status} instead of ${status}: ${answer.body.toString().slice(0, 300)}`);
  return answer;
}
