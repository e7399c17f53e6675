import { createServer } from "node:net";
import { expect, test } from "vitest";
import { Ssh } from "../../../scripts/cluster/ssh.ts";

test("a host that hangs up before it says its name is asked again, and then reported in ssh's words", async () => {
  let asked = 0;
  const server = createServer((socket) => {
    asked++;
    socket.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("no port");
  const ssh = new Ssh("node1", { host: "127.0.0.1", port: address.port, user: "root", hostKey: "ssh-ed25519 AAAA" });
  try {
    const { status, stderr } = await ssh.run("true", { input: "once" });
    expect(status).toBe(255);
    expect(stderr).toMatch(/kex_exchange_identification/);
    expect(asked).toBe(5);
  } finally {
    ssh.close();
    server.close();
  }
}, 20_000);
