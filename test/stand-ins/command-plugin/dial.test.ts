import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterEach, describe, expect, test, vi } from "vitest";

import type { Connection } from "./connection.ts";
import { dial } from "./dial.ts";
import { type Behaviour, clientKey, otherKey, protectedKey, sshServer, type TestServer } from "./support/ssh-server.ts";

const FAST = { firstDelay: 1, factor: 1, longestDelay: 1 };

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function given(behaviour: Behaviour = {}): Promise<TestServer> {
  const server = await sshServer(behaviour);
  opened.push(server.close);
  return server;
}

/** A listener that is no SSH server. */
async function listener(greet: (socket: Socket) => void, at?: string): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    greet(socket);
  });
  await new Promise<void>((resolve) => (at ? server.listen(at, resolve) : server.listen(0, "127.0.0.1", resolve)));
  opened.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(resolve);
      }),
  );
  return { port: at ? 0 : (server.address() as AddressInfo).port, sockets };
}

async function dialled(
  connection: Connection,
  env: Record<string, string> = {},
  signal = new AbortController().signal,
) {
  const status = vi.fn();
  const { close } = await dial(connection, { signal, status, pace: FAST, env });
  close();
  return status;
}

describe("host key", () => {
  test("is type and base64, with or without a comment", async () => {
    const server = await given();
    await dialled(server.connection({ hostKey: server.hostKey }));
    await dialled(server.connection({ hostKey: `${server.hostKey} node1\n` }));
  });

  test("unset takes any", async () => {
    await dialled((await given()).connection());
  });

  test("of another host is refused, again and again", async () => {
    const server = await given();
    const connection = server.connection({ hostKey: otherKey.public, dialErrorLimit: 2 });
    await expect(dialled(connection)).rejects.toThrow(
      /^after 2 failed attempts: ssh: handshake failed: ssh: host key mismatch$/,
    );
    expect(server.dials).toEqual([[], [], []]);
  });

  test("of a type the host has not is refused", async () => {
    const rsa = ssh2.utils.generateKeyPairSync("rsa", { bits: 1024 });
    const connection = (await given()).connection({ hostKey: rsa.public });
    await expect(dialled(connection)).rejects.toThrow("no common algorithm for host key; we offered: [ssh-rsa]");
  });

  test("that is none is said before anybody is dialled", async () => {
    const server = await given();
    await expect(dialled(server.connection({ hostKey: "ssh-ed25519" }))).rejects.toThrow(
      /^failed to parse host key: ssh: no key found$/,
    );
    expect(server.dials).toEqual([]);
  });
});

describe("log-in", () => {
  const keyless = (server: TestServer, overrides: Partial<Connection> = {}) => {
    const { privateKey: _, ...connection } = server.connection(overrides);
    return connection;
  };

  test("with a key that has a passphrase", async () => {
    const server = await given();
    const connection = { privateKey: protectedKey.private, privateKeyPassword: "sesame-open" };
    await dialled(server.connection(connection));
    for (const [overrides, words] of [
      [{ privateKey: protectedKey.private }, "ssh: this private key is passphrase protected"],
      [{ ...connection, privateKeyPassword: "wrong" }, "x509: decryption password incorrect"],
      [{ privateKeyPassword: "needless" }, "ssh: key is not password protected"],
      [{ privateKey: "junk" }, "ssh: no key found"],
      [{ privateKey: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" }, "PKCS#8"],
    ] as const) {
      await expect(dialled(server.connection(overrides))).rejects.toThrow(words);
    }
    expect(server.dials).toHaveLength(1);
  });

  test("with a password, asked for or not", async () => {
    await dialled(keyless(await given({ password: "right" }), { password: "right" }));
    await dialled(keyless(await given({ answer: "right" }), { password: "right" }));
  });

  test("that fails is tried again", async () => {
    const server = await given({ password: "right" });
    const connection = keyless(server, { password: "wrong", dialErrorLimit: 1 });
    await expect(dialled(connection)).rejects.toThrow(
      /^after 1 failed attempts: ssh: handshake failed: ssh: unable to authenticate, attempted methods \[none password keyboard-interactive\], no supported methods remain$/,
    );
    expect(server.dials).toHaveLength(2);
  });

  test("without anything to show fails", async () => {
    const connection = keyless(await given());
    await expect(dialled(connection)).rejects.toThrow("unable to authenticate, attempted methods [none]");
  });
});

describe("agent", () => {
  async function agent(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), "agent-"));
    opened.push(() => rm(directory, { recursive: true }));
    const path = join(directory, "socket");
    const key = ssh2.utils.parseKey(clientKey.private);
    if (key instanceof Error) throw key;
    await listener((socket) => {
      const protocol = new ssh2.AgentProtocol(false);
      protocol.on("identities", (request) => protocol.getIdentitiesReply(request, [key]));
      protocol.on("sign", (request, _key, data) => protocol.signReply(request, key.sign(data) as Buffer));
      protocol.on("error", () => {});
      socket.pipe(protocol as unknown as NodeJS.WritableStream);
      (protocol as unknown as NodeJS.ReadableStream).pipe(socket);
    }, path);
    return path;
  }

  test("signs where there is no key", async () => {
    const server = await given();
    const { privateKey: _, ...connection } = server.connection();
    const path = await agent();
    await dialled({ ...connection, agentSocketPath: path });
    await dialled(connection, { SSH_AUTH_SOCK: path });
  });

  test("named by SSH_AUTH_SOCK is always dialled; a stale one fails even with a private key", async () => {
    const server = await given();
    await expect(dialled(server.connection(), { SSH_AUTH_SOCK: "/nowhere/agent" })).rejects.toThrow(
      /^dial unix \/nowhere\/agent: connect: no such file or directory$/,
    );
    expect(server.dials).toEqual([]);
    await dialled(server.connection(), { SSH_AUTH_SOCK: "" });
  });
});

describe("a host that does not answer", () => {
  test("is dialled eleven times where the limit is 10", async () => {
    const { port, sockets } = await listener((socket) => socket.destroy());
    const connection = (await given()).connection({ port, dialErrorLimit: 10 });
    await expect(dialled(connection)).rejects.toThrow(/^after 10 failed attempts: ssh: handshake failed: /);
    expect(sockets).toHaveLength(11);
  });

  test("with no listener is refused", async () => {
    const connection = (await given()).connection({ port: 1, dialErrorLimit: 1 });
    await expect(dialled(connection)).rejects.toThrow(
      /^after 1 failed attempts: dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
    );
  });

  test("with a listener that says nothing is given up after perDialTimeout", async () => {
    const { port } = await listener(() => {});
    const connection = (await given()).connection({ port, perDialTimeout: 0.05 });
    await expect(dialled(connection)).rejects.toThrow(
      `after 0 failed attempts: ssh: handshake failed: no answer from 127.0.0.1:${port}`,
    );
  });

  test("is left at once when cancelled", async () => {
    const { port, sockets } = await listener(() => {});
    const connection = (await given()).connection({ port, dialErrorLimit: -1 });
    const cancelled = new AbortController();
    const result = dialled(connection, {}, cancelled.signal);
    result.catch(() => {});
    await vi.waitFor(() => expect(sockets).toHaveLength(1));
    cancelled.abort();
    await expect(result).rejects.toThrow(/^context canceled$/);
  });
});

describe("jump host", () => {
  test("carries the connection", async () => {
    const [jump, server] = [await given(), await given()];
    await dialled(server.connection({ hostKey: server.hostKey, proxy: jump.connection() }));
    expect(jump.forwards).toEqual([server.port]);
    expect(server.dials).toHaveLength(1);
  });

  test("that cannot be reached, or cannot reach, says so", async () => {
    const server = await given();
    const via = (proxy: Partial<Connection>) => server.connection({ proxy: server.connection(proxy) });
    await expect(dialled(via({ port: 1 }))).rejects.toThrow("proxy: after 0 failed attempts: dial tcp 127.0.0.1:1");
    await expect(dialled(via({ privateKey: "junk" }))).rejects.toThrow("proxy: ssh: no key found");
    await expect(dialled({ ...via({}), port: 1 })).rejects.toThrow(
      "proxy: after 0 failed attempts: ssh: rejected: connect failed",
    );
    await expect(dialled({ ...via({}), hostKey: otherKey.public })).rejects.toThrow("host key mismatch");
  });
});
