import { mkdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import { hostPaths } from "../../components/model/paths.ts";
import type { Daemon } from "./daemon.ts";

/**
 * Answers root on this host over a unix socket: `POST /record` performs a request, `POST /owns` says whether the newest
 * entry is the intent with that token (200) or what has taken over (409), `POST /look` looks at record and servers at
 * once instead of at their time, `POST /facts` tells what operations decide by, `POST /routes` hands commands to HAProxy
 * here. Starting a program of its own for each costs half a second, in which clients wait.
 */
export function openDoor(daemon: Daemon): void {
  const path = hostPaths.agentSocket;
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  const server = createServer((request, response) => {
    const answer = (status: number, text: string) => response.writeHead(status).end(`${text}\n`);
    void body(request)
      .then(async (text) => {
        if (request.url === "/record")
          return answer(200, JSON.stringify((await daemon.askRecordFor(JSON.parse(text))) ?? null));
        if (request.url === "/look") return answer(200, String(await daemon.lookNow().then(() => true)));
        if (request.url === "/facts") return answer(200, JSON.stringify(await daemon.facts()));
        if (request.url === "/routes") return answer(200, await tellHaproxy(text));
        if (request.url !== "/owns") return answer(404, "");
        const objection = await daemon.objection(text.trim());
        return answer(objection ? 409 : 200, objection ?? "");
      })
      .catch((error: Error) => answer(500, error.message));
  });
  const umask = process.umask(0o177);
  // Binding a path is done when this returns.
  server.listen(path);
  process.umask(umask);
}

/** Runtime commands in one line; what HAProxy said to them. */
function tellHaproxy(commands: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(hostPaths.haproxySocket, () => socket.end(`${commands}\n`));
    let said = "";
    socket.setTimeout(2_000, () => socket.destroy(new Error("HAProxy does not answer")));
    socket.setEncoding("utf8").on("data", (text) => (said += text));
    socket.on("error", reject).on("close", () => resolve(said));
  });
}

async function body(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}
