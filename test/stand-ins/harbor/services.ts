import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { hostname } from "node:os";
import { openRedis } from "./core/session.ts";

/** jobservice runs no jobs; it keeps a heartbeat of its pool in Redis, so that every node lists the pools of all. */
export async function runJobservice() {
  const config = readFileSync("/etc/jobservice/config.yml", "utf8");
  const redis = openRedis(/redis_url: (\S+)/.exec(config)?.[1] ?? "");
  const workers = Number(/workers: (\d+)/.exec(config)?.[1] ?? 0);
  const pools = "{harbor_job_service_namespace}:worker_pools";
  const id = randomBytes(12).toString("hex");
  const started = Math.floor(Date.now() / 1000);
  const beat = async () => {
    const at = Math.floor(Date.now() / 1000);
    const pool = { worker_pool_id: id, host: hostname(), concurrency: workers, start_at: started, heartbeat_at: at };
    await redis.set(`${pools}:${id}`, JSON.stringify(pool), "EX", 15);
    await redis.sadd(pools, id);
  };
  setInterval(() => beat().catch(() => {}), 5000);
  await beat().catch(() => {});

  const secrets = [process.env.CORE_SECRET, process.env.JOBSERVICE_SECRET].map((secret) => `Harbor-Secret ${secret}`);
  serve((request, response) => {
    if (!secrets.includes(request.headers.authorization ?? "")) {
      response.writeHead(401).end("{}");
      return;
    }
    listPools()
      .then((list) => response.writeHead(200).end(JSON.stringify({ worker_pools: list })))
      .catch(() => response.writeHead(500).end("{}"));
  });

  async function listPools() {
    const list: unknown[] = [];
    for (const member of await redis.smembers(pools)) {
      const pool = await redis.get(`${pools}:${member}`);
      if (pool) list.push(JSON.parse(pool));
      else await redis.srem(pools, member);
    }
    return list;
  }
}

export function runRegistryctl() {
  serve((_, response) => response.writeHead(200).end('"healthy"'));
}

export function runPortal() {
  const page = "<!doctype html><title>Harbor stand-in</title><h1>This is a stand-in for Harbor, not Harbor</h1>";
  serve((_, response) => response.writeHead(200, { "content-type": "text/html" }).end(page));
}

/** The log container of Harbor takes syslog from the others; here it only holds the port. */
export function runLog() {
  createTcpServer((socket) => socket.resume().on("error", () => {})).listen(10514);
}

function serve(listener: RequestListener) {
  createHttpServer(listener).listen(8080);
}
