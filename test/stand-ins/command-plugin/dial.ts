/** Opens an SSH connection, through a jump host if there is one. Every operation dials anew. */
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import ssh2, { type AnyAuthMethod, type Client } from "ssh2";

import {
  authMethods,
  type Connection,
  DEFAULTS,
  type Endpoint,
  type HostKey,
  parseHostKey,
  systemWords,
} from "./connection.ts";
import { type Pace, Stopped, untilDialled } from "./retry.ts";

export interface Dialling {
  signal: AbortSignal;
  status(line: string): void;
  env?: Record<string, string | undefined>;
  pace?: Pace;
}

export interface Dialled {
  client: Client;
  close(): void;
}

interface Target {
  host: string;
  port: number;
  user: string;
  limit: number;
  timeout: number;
  hostKey: HostKey | undefined;
  methods: AnyAuthMethod[];
}

async function target(endpoint: Endpoint, env: Record<string, string | undefined>): Promise<Target> {
  return {
    host: endpoint.host,
    port: Math.trunc(endpoint.port ?? DEFAULTS.port),
    user: endpoint.user ?? DEFAULTS.user,
    limit: endpoint.dialErrorLimit ?? DEFAULTS.dialErrorLimit,
    timeout: (endpoint.perDialTimeout ?? DEFAULTS.perDialTimeout) * 1000,
    hostKey: endpoint.hostKey === undefined ? undefined : parseHostKey(endpoint.hostKey),
    methods: await authMethods(endpoint, env),
  };
}

export async function dial(connection: Connection, dialling: Dialling): Promise<Dialled> {
  const { signal, status, pace, env = process.env } = dialling;
  const host = await target(connection, env);
  if (connection.proxy === undefined) {
    const client = await untilDialled({
      what: "Dial",
      limit: host.limit,
      pace,
      signal,
      status,
      attempt: async () => handshake(await tcp(host, signal), host, signal),
    });
    return { client, close: () => client.end() };
  }

  let jump: Client | undefined;
  try {
    const proxy = await target(connection.proxy, env);
    jump = await untilDialled({
      what: "Dial proxy",
      limit: proxy.limit,
      pace,
      signal,
      status,
      attempt: async () => handshake(await tcp(proxy, signal), proxy, signal),
    });
    const via = jump;
    const client = await untilDialled({
      what: "Dial from proxy",
      limit: host.limit,
      pace,
      signal,
      status,
      attempt: async () => handshake(await forwarded(via, host, signal), host, signal),
    });
    const close = () => {
      client.end();
      via.end();
    };
    return { client, close };
  } catch (error) {
    jump?.end();
    if (error instanceof Stopped) throw error;
    throw new Error(`proxy: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Settles once, with a deadline; whatever settles it, the watchers go. */
function within<T>(
  milliseconds: number,
  late: string,
  signal: AbortSignal,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let stop = () => {};
  return new Promise<T>((resolve, reject) => {
    if (milliseconds > 0) timer = setTimeout(() => reject(new Error(late)), milliseconds);
    stop = () => reject(new Stopped(signal));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    start(resolve, reject);
  }).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  });
}

function address({ host, port }: Target): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

async function tcp(to: Target, signal: AbortSignal): Promise<Duplex> {
  const socket = connect({ host: to.host, port: to.port });
  try {
    await within<void>(to.timeout, `dial tcp ${address(to)}: i/o timeout`, signal, (resolve, reject) => {
      socket.on("connect", resolve);
      socket.on("error", (error: NodeJS.ErrnoException & { syscall?: string }) => {
        const lookup = error.syscall === "getaddrinfo";
        reject(
          new Error(
            lookup
              ? `dial tcp: lookup ${to.host}: no such host`
              : `dial tcp ${address(to)}: connect: ${systemWords(innermost(error))}`,
          ),
        );
      });
    });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 15_000); // So that a host without power is noticed.
  return socket;
}

/** A name with several addresses fails with one error for each. */
function innermost(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
}

function forwarded(jump: Client, to: Target, signal: AbortSignal): Promise<Duplex> {
  return within<Duplex>(to.timeout, `ssh: no answer about ${address(to)}`, signal, (resolve, reject) => {
    jump.forwardOut("127.0.0.1", 0, to.host, to.port, (error, stream) => {
      if (error) reject(new Error(rejection(error as Error & { reason?: number })));
      else resolve(stream);
    });
  });
}

const REASONS = ["", "administratively prohibited", "connect failed", "unknown channel type", "resource shortage"];

function rejection({ reason = 0, message }: Error & { reason?: number }): string {
  const words = message.replace(/^\(SSH\) Channel open failure: /, "");
  return `ssh: rejected: ${REASONS[reason] || "unknown reason"} (${words})`;
}

/** The whole exchange up to a log-in is bounded: a listener that says nothing must not hold us for ever. */
async function handshake(sock: Duplex, to: Target, signal: AbortSignal): Promise<Client> {
  const client = new ssh2.Client();
  let mismatch = false;
  try {
    await within<void>(
      to.timeout,
      `ssh: handshake failed: no answer from ${address(to)}`,
      signal,
      (resolve, reject) => {
        client.on("ready", resolve);
        client.on("error", (error: Error & { level?: string }) => {
          if (error.level === "agent") return; // The next method is tried.
          reject(new Error(mismatch ? "ssh: handshake failed: ssh: host key mismatch" : refusal(error, to)));
        });
        client.on("close", () => reject(new Error("ssh: handshake failed: EOF")));
        const known = to.hostKey;
        client.connect({
          sock,
          username: to.user,
          authHandler: to.methods,
          readyTimeout: 0,
          ...(known && { algorithms: { serverHostKey: [known.type as "ssh-ed25519"] } }),
          hostVerifier: (key: Buffer) => {
            mismatch = known !== undefined && !known.blob.equals(key);
            return !mismatch;
          },
        });
      },
    );
  } catch (error) {
    client.on("error", () => {});
    client.destroy();
    sock.destroy();
    throw error;
  }
  return client;
}

function refusal(error: Error & { level?: string }, to: Target): string {
  if (error.level === "client-authentication") {
    const tried = [...new Set(to.methods.map(({ type }) => (type === "agent" ? "publickey" : type)))].join(" ");
    return `ssh: handshake failed: ssh: unable to authenticate, attempted methods [${tried}], no supported methods remain`;
  }
  if (/no matching host key format/.test(error.message)) {
    return `ssh: handshake failed: ssh: no common algorithm for host key; we offered: [${to.hostKey?.type ?? ""}]`;
  }
  const words = error.message === "Connection lost before handshake" ? "EOF" : error.message;
  return `ssh: handshake failed: ${words}`;
}
