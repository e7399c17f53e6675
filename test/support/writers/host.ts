// Runs on a node: commits one row after the other and says on stdout what was acknowledged. One line of JSON per attempt.
//   pooler   through PgBouncer, as Harbor does
//   direct   into this node's own PostgreSQL, every 50 ms: on a standby every attempt must fail
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";

const [, , route, writer] = process.argv;
const secrets: Record<string, string> = JSON.parse(readFileSync("/etc/harbor-ha/secrets.json", "utf8"));
const password = Object.entries(secrets).find(([key]) => key.startsWith("postgres.harbor:"))?.[1];
const server =
  route === "pooler"
    ? { host: "127.0.0.1", port: 6432, user: "harbor", password, database: "registry" }
    : { host: "/var/run/postgresql", user: "postgres", database: "registry" };

let client: Client | undefined;
for (let number = 1; ; number++) {
  const began = Date.now();
  const line: Record<string, unknown> = { route, writer, number, began };
  try {
    client ??= await connect();
    const { rows } = await client.query(
      "INSERT INTO acknowledged (writer, number) VALUES ($1, $2) RETURNING (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline",
      [writer, number],
    );
    line.timeline = rows[0].timeline;
  } catch (error) {
    line.error = (error as Error).message;
    client?.end().catch(() => {});
    client = undefined;
  }
  process.stdout.write(`${JSON.stringify({ ...line, ended: Date.now() })}\n`);
  await sleep(50);
}

async function connect(): Promise<Client> {
  // A commit that waits for its standby takes as long as it takes: no deadline of ours cuts it.
  const client = new Client({ ...server, connectionTimeoutMillis: 5_000, keepAlive: true });
  client.on("error", () => {});
  await client.connect();
  return client;
}
