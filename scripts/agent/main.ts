// harbor-ha-agent: the role endpoints of a node, answered from memory. It decides nothing and promotes nothing.
// With `facts` as argument it prints what it sees once, as JSON, and ends.
import { createServer } from "node:http";
import { collectFacts } from "./facts.ts";
import { drained, harborAnswers, postgresRole, redisRole } from "./probes.ts";

/** The last answers; a probe that fails says "unknown", and its endpoint 503. */
const seen = { primary: false, redis: false, endpoint: false };
let misses = 0;

async function refresh() {
  const [postgres, redis, harbor] = await Promise.all([postgresRole(), redisRole(), harborAnswers()]);
  seen.primary = postgres === "primary";
  seen.redis = redis === "master";
  // Harbor's ping waits for Redis: one slow answer must not take a node out, let alone both at once.
  misses = harbor === "no" ? misses + 1 : 0;
  seen.endpoint = !drained() && misses < 3;
}

/** Probes one after the other, each with its own deadline, half a second apart. */
async function watch(): Promise<never> {
  for (;;) {
    await refresh().catch((error) => console.error(`probe: ${error}`));
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function serve() {
  misses = 3;
  createServer((request, response) => {
    const path = (request.url ?? "").slice(1);
    const known = path === "primary" || path === "redis" || path === "endpoint";
    response.writeHead(known ? (seen[path] ? 200 : 503) : 404).end(known ? `${seen[path]}\n` : "");
  }).listen(Number(process.env.LISTEN_PORT), process.env.LISTEN_ADDRESS);
  void watch();
}

if (process.argv[2] === "facts") void collectFacts().then((facts) => console.log(JSON.stringify(facts)));
else serve();
