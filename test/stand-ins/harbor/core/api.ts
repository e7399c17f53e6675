import { standInVersion } from "../names.ts";
import { query, type Row } from "./database.ts";
import type { Exchange } from "./exchange.ts";
import { authenticate } from "./users.ts";

type Handler = (exchange: Exchange, parts: string[], user: string | undefined) => Promise<unknown> | unknown;
interface Route {
  method: string;
  path: RegExp;
  open?: true;
  serve: Handler;
}

const schedulePath = /^\/system\/(gc|purgeaudit)\/schedule$/;

/** The part of Harbor's API that the toolkit uses. Paths are relative to /api/v2.0; all but `open` ones need a user. */
const routes: Route[] = [
  { method: "GET", path: /^\/systeminfo$/, open: true, serve: systemInfo },
  { method: "GET", path: /^\/users\/current$/, serve: currentUser },
  { method: "GET", path: /^\/projects$/, open: true, serve: listProjects },
  { method: "POST", path: /^\/projects$/, serve: createProject },
  { method: "GET", path: /^\/projects\/([^/]+)$/, open: true, serve: getProject },
  { method: "GET", path: /^\/repositories$/, serve: listRepositories },
  { method: "GET", path: /^\/projects\/([^/]+)\/repositories$/, open: true, serve: listRepositories },
  { method: "GET", path: /^\/projects\/([^/]+)\/repositories\/([^/]+)\/artifacts$/, open: true, serve: listArtifacts },
  { method: "DELETE", path: /^\/projects\/([^/]+)\/repositories\/([^/]+)\/artifacts\/([^/]+)$/, serve: deleteArtifact },
  { method: "GET", path: /^\/configurations$/, serve: getConfiguration },
  { method: "PUT", path: /^\/configurations$/, serve: putConfiguration },
  { method: "GET", path: schedulePath, serve: async (exchange, [job]) => exchange.json(200, await property(`${job}`)) },
  { method: "POST", path: schedulePath, serve: saveSchedule },
  { method: "PUT", path: schedulePath, serve: saveSchedule },
  { method: "GET", path: /^\/jobservice\/pools$/, serve: jobPools },
];

export async function serveApi(exchange: Exchange) {
  const path = exchange.url.pathname.replace(/^\/api\/v2\.0/, "");
  const method = exchange.method === "HEAD" ? "GET" : exchange.method;
  for (const route of routes) {
    const match = route.method === method && route.path.exec(path);
    if (!match) continue;
    const user = await authenticate(exchange);
    if (!user && !route.open) return exchange.fail(401, "UNAUTHORIZED", "unauthorized");
    const parts = match.slice(1).map((part) => decodeURIComponent(decodeURIComponent(part)));
    return await route.serve(exchange, parts, user);
  }
  return exchange.fail(404, "NOT_FOUND", `the stand-in does not have ${method} ${path}`);
}

async function systemInfo(exchange: Exchange) {
  exchange.json(200, {
    harbor_version: standInVersion,
    auth_mode: "db_auth",
    external_url: process.env.EXT_ENDPOINT,
    registry_url: new URL(process.env.EXT_ENDPOINT ?? "http://unknown").host,
    registry_storage_provider_name: process.env.REGISTRY_STORAGE_PROVIDER_NAME,
    read_only: (await property("read_only")) === true,
    current_time: new Date().toISOString(),
  });
}

async function currentUser(exchange: Exchange, _: string[], user?: string) {
  const [row] = await query("select user_id, username, email, sysadmin_flag from harbor_user where username = $1", [
    user,
  ]);
  exchange.json(200, row);
}

const projectColumns = `project_id, name, creation_time, creation_time as update_time,
  jsonb_build_object('public', public::text) as metadata,
  (select count(*)::int from repository r where r.project_id = project.project_id) as repo_count`;

async function listProjects(exchange: Exchange, _: string[], user?: string) {
  const sql = `select ${projectColumns} from project where ($1 or public) and ($2 = '' or name = $2) order by name`;
  await list(exchange, sql, [user !== undefined, exchange.url.searchParams.get("name") ?? ""]);
}

async function getProject(exchange: Exchange, [name]: string[], user?: string) {
  const sql = `select ${projectColumns} from project where ($1 or public) and (name = $2 or project_id::text = $2)`;
  const [row] = await query(sql, [user !== undefined, name]);
  if (!row) return exchange.fail(404, "NOT_FOUND", `project ${name} not found`);
  exchange.json(200, row);
}

async function createProject(exchange: Exchange) {
  const wish = JSON.parse((await exchange.body()).toString());
  const isPublic = wish.public === true || wish.metadata?.public === "true";
  const [row] = await query(
    "insert into project (name, public) values ($1, $2) on conflict do nothing returning project_id",
    [wish.project_name, isPublic],
  );
  if (!row) return exchange.fail(409, "CONFLICT", `The project named ${wish.project_name} already exists`);
  exchange.response.writeHead(201, { location: `/api/v2.0/projects/${row.project_id}` }).end();
}

async function listRepositories(exchange: Exchange, [project = ""]: string[], user?: string) {
  const sql = `select repository_id as id, r.project_id, r.name, r.creation_time,
      (select count(*)::int from artifact a where a.repository_id = r.repository_id) as artifact_count
    from repository r join project p using (project_id)
    where ($1 or p.public) and ($2 = '' or p.name = $2) order by r.name`;
  await list(exchange, sql, [user !== undefined, project]);
}

async function listArtifacts(exchange: Exchange, [project, repository]: string[], user?: string) {
  const sql = `select a.id, 'IMAGE' as type, a.media_type as manifest_media_type, a.digest, a.size::float8 as size,
      a.push_time, r.project_id, r.repository_id, r.name as repository_name, null as accessories,
      (select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'push_time', t.push_time) order by t.name)
       from tag t where t.artifact_id = a.id) as tags
    from artifact a join repository r using (repository_id) join project p using (project_id)
    where ($1 or p.public) and r.name = $2 order by a.push_time desc, a.id desc`;
  await list(exchange, sql, [user !== undefined, `${project}/${repository}`]);
}

async function deleteArtifact(exchange: Exchange, [project, repository, reference]: string[]) {
  const rows = await query(
    `delete from artifact where id in (select a.id from artifact a join repository r using (repository_id)
       left join tag t on t.artifact_id = a.id where r.name = $1 and (a.digest = $2 or t.name = $2)) returning id`,
    [`${project}/${repository}`, reference],
  );
  if (rows.length === 0) return exchange.fail(404, "NOT_FOUND", `artifact ${reference} not found`);
  exchange.json(200, {});
}

async function getConfiguration(exchange: Exchange) {
  exchange.json(200, {
    auth_mode: { editable: true, value: "db_auth" },
    read_only: { editable: true, value: (await property("read_only")) === true },
  });
}

async function putConfiguration(exchange: Exchange) {
  const wish = JSON.parse((await exchange.body()).toString());
  for (const [key, value] of Object.entries(wish)) await setProperty(key, value);
  exchange.response.writeHead(200).end();
}

async function saveSchedule(exchange: Exchange, [job]: string[]) {
  const wish = JSON.parse((await exchange.body()).toString());
  if (wish.schedule?.type !== "Manual") await setProperty(`${job}`, wish);
  exchange.response.writeHead(exchange.method === "POST" ? 201 : 200).end();
}

async function jobPools(exchange: Exchange) {
  const headers = { authorization: `Harbor-Secret ${process.env.CORE_SECRET}` };
  const answer = await fetch(`${process.env.JOBSERVICE_URL}/api/v1/stats`, { headers });
  const stats = (await answer.json()) as { worker_pools: unknown[] };
  exchange.json(answer.ok ? 200 : 500, stats.worker_pools);
}

async function property(key: string): Promise<unknown> {
  const [row] = await query("select v from properties where k = $1", [key]);
  return row?.v ?? {};
}

async function setProperty(key: string, value: unknown) {
  const sql = "insert into properties values ($1, $2) on conflict (k) do update set v = excluded.v";
  await query(sql, [key, JSON.stringify(value)]);
}

/** Pages as Harbor does: page from 1, page_size 10 and at most 100, X-Total-Count, Link. */
async function list(exchange: Exchange, sql: string, values: unknown[]) {
  const { searchParams } = exchange.url;
  const page = Math.max(1, Number(searchParams.get("page")) || 1);
  const size = Math.min(100, Number(searchParams.get("page_size")) || 10);
  const rows = await query<Row>(sql, values);
  const links = Object.entries({ prev: page > 1 ? page - 1 : 0, next: page * size < rows.length ? page + 1 : 0 })
    .filter(([, number]) => number > 0)
    .map(([rel, number]) => {
      const target = new URL(exchange.url);
      target.searchParams.set("page", `${number}`);
      target.searchParams.set("page_size", `${size}`);
      return `<${target.pathname}${target.search}>; rel="${rel}"`;
    });
  exchange.json(200, rows.slice((page - 1) * size, page * size), {
    "x-total-count": `${rows.length}`,
    ...(links.length > 0 ? { link: links.join(" , ") } : {}),
  });
}
