import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Redis } from "ioredis";
import { serveApi } from "./api.ts";
import { openDatabase } from "./database.ts";
import { Exchange } from "./exchange.ts";
import { Health } from "./health.ts";
import { serveRegistry, serveToken } from "./registry.ts";
import { CsrfGuard, openRedis, Sessions } from "./session.ts";
import { TokenMaker } from "./token.ts";
import { checkPassword } from "./users.ts";

/** core: the API, the token service and the gate before the registry. It listens once database and Redis answer. */
export async function runCore() {
  const tokens = new TokenMaker(readFileSync("/etc/core/private_key.pem", "utf8"));
  const redis = openRedis(process.env._REDIS_URL_CORE ?? "");
  await openDatabase();
  await waitFor(redis);
  const sessions = new Sessions(redis);
  const guard = new CsrfGuard(process.env.CSRF_KEY ?? "");
  const health = new Health(redis);

  async function serve(exchange: Exchange) {
    const { request, response, url } = exchange;
    const path = url.pathname;
    response.setHeader("x-harbor-stand-in", "true");
    exchange.sessionUser = await sessions.user(request);
    if (path === "/api/v2.0/ping") return response.writeHead(200, { "content-type": "text/plain" }).end("Pong");
    if (path === "/api/v2.0/health") return exchange.json(200, health.report());
    if (path === "/service/token") return serveToken(exchange, tokens);
    if (path.startsWith("/v2/") || path === "/v2") return serveRegistry(exchange, tokens);

    const fromBrowser = path.startsWith("/c/") || (exchange.sessionUser !== undefined && !exchange.credentials());
    if (exchange.writes && fromBrowser && !guard.passes(request)) {
      return exchange.fail(403, "FORBIDDEN", "CSRF token invalid");
    }
    guard.issue(request, response);
    if (path === "/c/login") return logIn(exchange);
    if (path === "/c/log_out") {
      await sessions.close(request);
      return response.writeHead(200).end();
    }
    return serveApi(exchange);
  }

  async function logIn(exchange: Exchange) {
    const form = new URLSearchParams((await exchange.body()).toString());
    const user = form.get("principal") ?? "";
    const known = await checkPassword(user, form.get("password") ?? "");
    if (!known) return exchange.fail(401, "UNAUTHORIZED", "invalid username or password");
    await sessions.open(exchange.response, user);
    exchange.response.writeHead(200).end();
  }

  const server = createServer((request, response) => {
    const exchange = new Exchange(request, response);
    serve(exchange).catch((error: Error) => {
      console.error(`${request.method} ${request.url}: ${error.message}`);
      if (response.headersSent) response.destroy();
      else exchange.fail(500, "UNKNOWN", "internal server error");
    });
  });
  server.requestTimeout = 0; // a blob of 2 GiB may take its time
  server.listen(8080, () => console.log("core: ready (stand-in)"));
}

async function waitFor(redis: Redis) {
  const deadline = Date.now() + 60_000;
  while (!(await redis.ping().catch(() => undefined))) {
    if (Date.now() > deadline) throw new Error("no Redis within 60 s");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
