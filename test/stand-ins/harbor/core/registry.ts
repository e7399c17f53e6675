import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { pipeline } from "node:stream/promises";
import { query, transaction } from "./database.ts";
import type { Exchange } from "./exchange.ts";
import { allows, grant, type TokenMaker } from "./token.ts";
import { authenticate, projectsByName } from "./users.ts";

const agent = new Agent({ keepAlive: true });
const login = `${process.env.REGISTRY_CREDENTIAL_USERNAME}:${process.env.REGISTRY_CREDENTIAL_PASSWORD}`;
const authorization = `Basic ${Buffer.from(login).toString("base64")}`;

/** GET /service/token. A database that does not answer gives a token without rights, not an error, as in Harbor. */
export async function serveToken(exchange: Exchange, tokens: TokenMaker) {
  const scopes = exchange.url.searchParams.getAll("scope").flatMap((scope) => scope.split(" ").filter(Boolean));
  let user: string | undefined;
  let access = scopes.map((scope) => grant(scope, false, new Map()));
  try {
    user = await authenticate(exchange);
    const projects = await projectsByName();
    access = scopes.map((scope) => grant(scope, user !== undefined, projects));
  } catch (error) {
    console.error(`token without rights: ${(error as Error).message}`);
  }
  if (!user && scopes.length === 0) return exchange.fail(401, "UNAUTHORIZED", "authentication is required");
  const issued = new Date().toISOString();
  exchange.json(200, { token: tokens.sign(user ?? "", access), expires_in: 1800, issued_at: issued });
}

/** Everything under /v2: rights from the token, artifacts from the database, blobs from the registry beside core. */
export async function serveRegistry(exchange: Exchange, tokens: TokenMaker) {
  const path = exchange.url.pathname;
  const [, repository = "", kind = "", rest = ""] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.*)$/.exec(path) ?? [];
  const action = exchange.method === "DELETE" ? "delete" : exchange.writes ? "push" : "pull";
  const scope = repository && `repository:${repository}:${action === "push" ? "pull,push" : action}`;
  const refuse = () => {
    const realm = `realm="${process.env.EXT_ENDPOINT}/service/token",service="harbor-registry"`;
    const challenge = `Bearer ${realm}${scope ? `,scope="${scope}"` : ""}`;
    exchange.fail(401, "UNAUTHORIZED", "unauthorized to access the repository", { "www-authenticate": challenge });
  };

  let project: { readOnly: boolean } | undefined;
  try {
    const bearer = exchange.bearer();
    const claims = bearer ? tokens.verify(bearer) : undefined;
    const user = claims ? claims.sub : await authenticate(exchange);
    if (!claims && !user) return refuse();
    if (!repository) {
      if (path === "/v2/_catalog") return await listRepositories(exchange, claims ? undefined : user);
      return exchange.json(path === "/v2/" ? 200 : 404, {});
    }
    const access = claims?.access ?? [grant(scope, true, await projectsByName())];
    if (!allows(access, repository, action)) return refuse();
    project = await findProject(repository.split("/")[0] ?? "");
  } catch (error) {
    console.error(`unauthorized because the database failed: ${(error as Error).message}`);
    return refuse();
  }
  if (!project) return exchange.fail(404, "NAME_UNKNOWN", `no project for ${repository}`);
  if (exchange.writes && project.readOnly) return exchange.fail(403, "DENIED", "this registry is read-only");
  if (kind === "blobs") return forward(exchange, exchange.request.url ?? "/");
  if (kind === "tags") return listTags(exchange, repository);
  if (exchange.method === "PUT") return putManifest(exchange, repository, decodeURIComponent(rest));
  return useManifest(exchange, repository, decodeURIComponent(rest));
}

/** GET, HEAD or DELETE: only what the artifact table knows exists, whatever lies in the storage. */
async function useManifest(exchange: Exchange, repository: string, reference: string) {
  const [artifact] = await query<{ id: number; digest: string }>(
    `select a.id, a.digest from artifact a join repository r using (repository_id)
     where r.name = $1 and (a.digest = $2 or a.id in
       (select artifact_id from tag t where t.repository_id = r.repository_id and t.name = $2))`,
    [repository, reference],
  );
  if (!artifact) return exchange.fail(404, "MANIFEST_UNKNOWN", `artifact ${repository}:${reference} not found`);
  if (exchange.method === "DELETE") {
    await query("delete from artifact where id = $1", [artifact.id]);
    return exchange.response.writeHead(202).end();
  }
  return forward(exchange, `/v2/${repository}/manifests/${artifact.digest}`);
}

/** The row is committed before the client reads 201: an acknowledged push is in the database. */
async function putManifest(exchange: Exchange, repository: string, reference: string) {
  const body = await exchange.body();
  const answer = await ask(exchange, exchange.request.url ?? "/", body);
  const text = await collect(answer);
  if (answer.statusCode === 201) {
    const digest = String(answer.headers["docker-content-digest"]);
    const mediaType = exchange.request.headers["content-type"] ?? "application/octet-stream";
    await recordArtifact(repository, reference, digest, mediaType, manifestSize(body));
  }
  exchange.response.writeHead(answer.statusCode ?? 502, answer.headers).end(text);
}

async function recordArtifact(repository: string, reference: string, digest: string, mediaType: string, size: number) {
  await transaction(async (run) => {
    await run(
      `insert into repository (project_id, name) select project_id, $1 from project where name = $2
       on conflict do nothing`,
      [repository, repository.split("/")[0]],
    );
    const [artifact] = await run(
      `insert into artifact (repository_id, digest, media_type, size)
       select repository_id, $2, $3, $4 from repository where name = $1
       on conflict (repository_id, digest) do update set media_type = excluded.media_type returning id`,
      [repository, digest, mediaType, size],
    );
    if (reference === digest) return;
    await run(
      `insert into tag (repository_id, artifact_id, name) select repository_id, $2, $3 from repository where name = $1
       on conflict (repository_id, name) do update set artifact_id = excluded.artifact_id, push_time = now()`,
      [repository, artifact?.id, reference],
    );
  });
}

/** As Harbor counts: the manifest, its config and its layers; an index counts as its own bytes. */
export function manifestSize(body: Buffer): number {
  const manifest = JSON.parse(body.toString()) as { config?: { size?: number }; layers?: { size?: number }[] };
  const layers = (manifest.layers ?? []).reduce((sum, layer) => sum + (layer.size ?? 0), 0);
  return body.length + (manifest.config?.size ?? 0) + layers;
}

async function findProject(name: string) {
  const [row] = await query<{ read_only: boolean | null }>(
    "select (select v from properties where k = 'read_only') as read_only from project where name = $1",
    [name],
  );
  return row && { readOnly: row.read_only === true };
}

async function listTags(exchange: Exchange, repository: string) {
  const rows = await query<{ name: string }>(
    "select t.name from tag t join repository r using (repository_id) where r.name = $1 order by t.name",
    [repository],
  );
  if (rows.length === 0) return exchange.fail(404, "NAME_UNKNOWN", `repository ${repository} not found`);
  exchange.json(200, { name: repository, tags: rows.map((row) => row.name) });
}

async function listRepositories(exchange: Exchange, user: string | undefined) {
  if (!user) return exchange.fail(401, "UNAUTHORIZED", "the catalog needs basic authentication");
  const rows = await query<{ name: string }>("select name from repository order by name");
  exchange.json(200, { repositories: rows.map((row) => row.name) });
}

/** Streams both ways; nothing of a blob is held in memory. */
async function forward(exchange: Exchange, path: string) {
  const answer = await ask(exchange, path);
  exchange.response.writeHead(answer.statusCode ?? 502, answer.headers);
  await pipeline(answer, exchange.response);
}

/** The client's Host and scheme go along, so that the registry's Location headers lead back through the endpoint. */
function ask(exchange: Exchange, path: string, body?: Buffer) {
  const headers = { ...exchange.request.headers, authorization };
  const options: RequestOptions = { method: exchange.method, headers, agent };
  return new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = httpRequest(new URL(path, process.env.REGISTRY_URL), options, resolve).on("error", reject);
    if (body) {
      outgoing.end(body);
      return;
    }
    pipeline(exchange.request, outgoing).catch(reject);
    exchange.response.on("close", () => exchange.response.writableFinished || outgoing.destroy());
  });
}

async function collect(answer: IncomingMessage) {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part);
  return Buffer.concat(parts);
}
