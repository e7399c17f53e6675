import { createServer } from "node:net";
import { expect, test } from "vitest";
import { answers, Ssh } from "../../../scripts/cluster/ssh.ts";

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
    // One knock, and five attempts of ssh.
    expect(asked).toBe(6);
  } finally {
    ssh.close();
    server.close();
  }
}, 20_000);

test("a host that says nothing to three attempts is not there; one that answers the last of them, or refuses, is", async () => {
  let attempts = 0;
  const silent = () => {
    attempts++;
    return new Promise<void>(() => {});
  };
  expect(await answers(silent, 1)).toBe(false);
  expect(attempts).toBe(3);
  let left = 3;
  expect(await answers(() => (--left === 0 ? Promise.resolve() : silent()), 1)).toBe(true);
});

test("a port that nobody listens on is ssh's to report", async () => {
  const ssh = new Ssh("node1", { host: "127.0.0.1", port: 1, user: "root", hostKey: "ssh-ed25519 AAAA" });
  try {
    const { status, stderr } = await ssh.run("true");
    expect(status).toBe(255);
    expect(stderr).toMatch(/Connection refused/);
  } finally {
    ssh.close();
  }
});
