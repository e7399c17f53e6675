import { readFileSync, statSync } from "node:fs";
import { get } from "node:https";
import { connect } from "node:net";
import { sickIn } from "../../components/model/harbor-health.ts";
import { hostPaths } from "../../components/model/paths.ts";
import { ports } from "../../components/model/ports.ts";

/** A probe that takes longer has failed. */
const deadline = 2_000;
/** A lease not renewed for so long is over. */
const leaseMs = 15_000;

/** What Redis on this node is. The reply to ROLE begins with the role's name; no library is needed for one word. */
export function redisRole(): Promise<"master" | "slave" | "down"> {
  return new Promise((resolve) => {
    let password = "";
    try {
      password = readFileSync(`${hostPaths.etc}/redis.password`, "utf8");
    } catch {
      return resolve("down");
    }
    const socket = connect(hostPaths.redisSocket);
    let reply = "";
    const done = (role: "master" | "slave" | "down") => {
      socket.destroy();
      resolve(role);
    };
    socket.setTimeout(deadline, () => done("down"));
    socket.on("error", () => done("down"));
    socket.on("end", () => done("down"));
    socket.on("data", (data) => {
      reply += data;
      const role = /\r\n(master|slave)\r\n/.exec(reply)?.[1];
      if (role) done(role as "master" | "slave");
    });
    socket.write(`AUTH ${password}\r\nROLE\r\n`);
  });
}

/** Whether Harbor on this node answers its ping with 200, through its own nginx; a stand-in says what it is. */
export type HarborAnswer = "no" | "yes" | "stand-in";

export function harborAnswers(): Promise<HarborAnswer> {
  return new Promise((resolve) => {
    const request = get(
      // The certificate names the endpoint, not this loopback hop.
      {
        host: "127.0.0.1",
        port: ports.harborHttps,
        path: "/api/v2.0/ping",
        rejectUnauthorized: false,
        timeout: 5_000,
        agent: false,
      },
      (response) => {
        response.resume();
        const standIn = response.headers["x-harbor-stand-in"] !== undefined;
        resolve(response.statusCode !== 200 ? "no" : standIn ? "stand-in" : "yes");
      },
    );
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve("no"));
  });
}

/** Components that Harbor's own health check calls unhealthy, with its words; it does not notice a database that hangs. */
export async function sickComponents(): Promise<Record<string, string>> {
  const text = await new Promise<string>((resolve) => {
    const options = { host: "127.0.0.1", port: ports.harborHttps, path: "/api/v2.0/health", rejectUnauthorized: false };
    const request = get({ ...options, timeout: 10_000, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk) => (body += chunk));
      response.on("end", () => resolve(response.statusCode === 200 ? body : ""));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(""));
  });
  // One that does not answer at all is no news: its ping says so.
  return text === "" ? {} : sickIn(text);
}

/** Whether an operator holds a lease on this node: `drain` keeps clients off, `maintenance` the agent's hands. */
export function leased(name: "drain" | "maintenance"): boolean {
  try {
    return Date.now() - statSync(`${hostPaths.run}/${name}`).mtimeMs < leaseMs;
  } catch {
    return false;
  }
}
