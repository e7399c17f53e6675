import { createHash, pbkdf2Sync, randomBytes } from "node:crypto";
import { connect } from "node:net";
import pg from "pg";

const env = (name: string) => process.env[name] ?? "";
/** An arbitrary number; every core of the pair must use the same. */
const migrationLock = "7201501552";

export const pool = new pg.Pool({
  host: env("POSTGRESQL_HOST"),
  port: Number(env("POSTGRESQL_PORT")),
  user: env("POSTGRESQL_USERNAME"),
  password: env("POSTGRESQL_PASSWORD"),
  database: env("POSTGRESQL_DATABASE"),
  ssl: tls(env("POSTGRESQL_SSLMODE")),
  max: Number(env("POSTGRESQL_MAX_OPEN_CONNS")) || 100,
  maxLifetimeSeconds: seconds(env("POSTGRESQL_CONN_MAX_LIFETIME")),
  idleTimeoutMillis: seconds(env("POSTGRESQL_CONN_MAX_IDLE_TIME")) * 1000,
  connectionTimeoutMillis: Number(env("PGCONNECT_TIMEOUT")) * 1000,
  keepAlive: true,
});
pool.on("error", (error) => console.error(`database: an idle connection was lost: ${error.message}`));

export type Row = Record<string, unknown>;

/** A named prepared statement, as pgx makes: a transaction pooler has to follow it from server to server. */
function statement(text: string, values: unknown[]) {
  return { name: `stmtcache_${createHash("sha256").update(text).digest("hex").slice(0, 48)}`, text, values };
}

export async function query<R extends Row = Row>(text: string, values: unknown[] = []): Promise<R[]> {
  return (await pool.query<R>(statement(text, values))).rows;
}

export async function transaction<T>(work: (run: typeof query) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // A connection that is cut between two statements fails the next one; unheard, it would end core.
  const unheard = () => {};
  client.on("error", unheard);
  let broken: Error | undefined;
  try {
    await client.query("BEGIN");
    const result = await work(async <R extends Row>(text: string, values: unknown[] = []) => {
      return (await client.query<R>(statement(text, values))).rows;
    });
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.off("error", unheard);
    client.release(broken);
  }
}

/** Waits a minute for the port, then makes the schema; whatever fails ends core, and Docker starts it again. */
export async function openDatabase() {
  const deadline = Date.now() + 60_000;
  while (!(await portAnswers())) {
    if (Date.now() > deadline) throw new Error("no database within 60 s");
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  const hung = setTimeout(() => fail("the database does not answer within 60 s"), 60_000);
  await migrate();
  await createAdmin();
  clearTimeout(hung);
}

/** A session lock outside any transaction, as golang-migrate takes it, with its 15 s. */
async function migrate() {
  const client = await pool.connect();
  const late = setTimeout(() => fail("the migration lock was not free within 15 s"), 15_000);
  await client.query("SELECT pg_advisory_lock($1)", [migrationLock]);
  clearTimeout(late);
  try {
    await client.query(schema);
  } finally {
    await client.query("SELECT pg_advisory_unlock($1)", [migrationLock]);
    client.release();
  }
}

async function createAdmin() {
  const salt = randomBytes(16).toString("hex");
  await query(
    `insert into harbor_user (username, email, salt, password, sysadmin_flag)
     values ('admin', 'admin@example.com', $1, $2, true) on conflict do nothing`,
    [salt, hashPassword(env("HARBOR_ADMIN_PASSWORD"), salt)],
  );
}

export function hashPassword(password: string, salt: string) {
  return pbkdf2Sync(password, salt, 4096, 16, "sha256").toString("hex");
}

function portAnswers() {
  return new Promise<boolean>((resolve) => {
    const socket = connect({ host: env("POSTGRESQL_HOST"), port: Number(env("POSTGRESQL_PORT")), timeout: 2000 });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => done(true)).on("error", () => done(false));
    socket.on("timeout", () => done(false));
  });
}

function fail(reason: string): never {
  console.error(`core: ${reason}`);
  process.exit(1);
}

/** Go's durations, as far as harbor.yml has them: "5m", "30s", "1h", "0". */
export function seconds(duration: string) {
  const [, number, unit] = /^(\d+)(ms|s|m|h)?$/.exec(duration) ?? [];
  return Number(number ?? 0) * { ms: 0.001, s: 1, m: 60, h: 3600 }[(unit ?? "s") as "ms" | "s" | "m" | "h"];
}

function tls(mode: string) {
  return mode === "disable" || mode === "" ? false : { rejectUnauthorized: mode.startsWith("verify") };
}

const schema = `
create table if not exists schema_migrations (version bigint primary key, dirty boolean not null);
create table if not exists harbor_user (
  user_id serial primary key, username text unique not null, email text, salt text not null, password text not null,
  sysadmin_flag boolean not null default false, creation_time timestamptz not null default now());
create table if not exists project (
  project_id serial primary key, name text unique not null, public boolean not null default false,
  creation_time timestamptz not null default now());
create table if not exists repository (
  repository_id serial primary key, project_id int not null references project, name text unique not null,
  creation_time timestamptz not null default now());
create table if not exists artifact (
  id serial primary key, repository_id int not null references repository on delete cascade, digest text not null,
  media_type text not null, size bigint not null, push_time timestamptz not null default now(),
  unique (repository_id, digest));
create table if not exists tag (
  id serial primary key, repository_id int not null references repository on delete cascade,
  artifact_id int not null references artifact on delete cascade, name text not null,
  push_time timestamptz not null default now(), unique (repository_id, name));
create table if not exists properties (k text primary key, v jsonb not null);
insert into project (name, public) values ('library', true) on conflict do nothing;
insert into schema_migrations values (180, false) on conflict do nothing;
`;
