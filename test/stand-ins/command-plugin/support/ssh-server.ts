/** An SSH server in this process, on a free port, that runs commands with /bin/sh and remembers what was asked of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { type AddressInfo, connect, createServer } from "node:net";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";

import type { Connection as ConnectionInput } from "../connection.ts";

const passphrase = "sesame-open";
const hostKey = readableKey();
export const clientKey = readableKey();
export const otherKey = readableKey();
export const protectedKey = readableKey({ passphrase, cipher: "aes256-ctr", rounds: 16 });

/** ssh2 drops leading zeros of a public key: one in some hundred of its keys cannot be read, by itself neither. */
function readableKey(options?: { passphrase: string; cipher: string; rounds: number }) {
  for (;;) {
    const key = ssh2.utils.generateKeyPairSync("ed25519", options as never);
    if (!(ssh2.utils.parseKey(key.private, options?.passphrase) instanceof Error)) return key;
  }
}

export interface Behaviour {
  /** Log in with this instead of a key. */
  password?: string;
  /** The same, asked as a question. */
  answer?: string;
  accepts?(variable: string): boolean;
  /** Returns true for a command it has dealt with itself. */
  execute?(command: string, channel: ServerChannel, connection: Connection): boolean;
}

export interface TestServer {
  port: number;
  hostKey: string;
  /** One entry for each connection, with the log-in methods tried on it. */
  dials: string[][];
  commands: string[];
  variables: Record<string, string>;
  forwards: number[];
  connection(overrides?: Partial<ConnectionInput>): ConnectionInput;
  close(): Promise<void>;
}

export async function sshServer(behaviour: Behaviour = {}): Promise<TestServer> {
  const open = new Set<Connection>();
  const children = new Set<ChildProcess>();
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (connection) => {
    open.add(connection);
    const methods: string[] = [];
    test.dials.push(methods);
    connection.on("error", () => {});
    connection.on("close", () => open.delete(connection));
    connection.on("authentication", (context) => {
      methods.push(context.method);
      logIn(context, behaviour);
    });
    connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
      test.forwards.push(destPort);
      const socket = connect(destPort, destIP);
      socket.on("connect", () => {
        const channel = accept();
        channel.on("error", () => {});
        channel.pipe(socket).pipe(channel);
      });
      socket.on("error", () => reject());
    });
    connection.on("session", (accept) => {
      const session = accept();
      const own: Record<string, string> = {};
      session.on("env", (accept, reject, { key, val }) => {
        if (!(behaviour.accepts ?? (() => true))(key)) return reject?.();
        own[key] = val;
        test.variables[key] = val;
        accept?.();
      });
      session.on("exec", (accept, _reject, { command }) => {
        test.commands.push(command);
        const channel = accept();
        if (behaviour.execute?.(command, channel, connection)) return;
        const child = spawn("/bin/sh", ["-c", command], { env: { ...process.env, ...own } });
        children.add(child);
        child.stdout.pipe(channel, { end: false });
        child.stderr.pipe(channel.stderr, { end: false });
        child.stdin.on("error", () => {});
        channel.pipe(child.stdin);
        child.on("close", (code) => {
          children.delete(child);
          channel.exit(code ?? 255);
          channel.end();
        });
      });
    });
  });
  // A listener of our own, since ssh2's waits 40 ms for every acknowledgement.
  const listener = createServer({ noDelay: true }, (socket) => server.injectSocket(socket));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;

  const test: TestServer = {
    port,
    hostKey: hostKey.public,
    dials: [],
    commands: [],
    variables: {},
    forwards: [],
    connection: (overrides = {}) => ({
      host: "127.0.0.1",
      port,
      user: "root",
      privateKey: clientKey.private,
      dialErrorLimit: 0,
      perDialTimeout: 15,
      ...overrides,
    }),
    close: () =>
      new Promise((resolve) => {
        for (const child of children) child.kill("SIGKILL");
        for (const connection of open) connection.end();
        listener.close(() => resolve());
      }),
  };
  return test;
}

function logIn(context: AuthContext, { password, answer }: Behaviour): void {
  const allowed = answer !== undefined ? "keyboard-interactive" : password !== undefined ? "password" : "publickey";
  if (context.method !== allowed) context.reject([allowed]);
  else if (context.method === "keyboard-interactive") {
    context.prompt([{ prompt: "Code: ", echo: false }], (answers) => settle(context, answers[0] === answer));
  } else if (context.method === "password") settle(context, context.password === password);
  else if (context.method === "publickey") settle(context, isKnown(context.key.data));
}

function settle(context: AuthContext, good: boolean): void {
  if (good) context.accept();
  else context.reject();
}

function isKnown(blob: Buffer): boolean {
  return [clientKey, protectedKey].some(({ public: text }) => {
    const key = ssh2.utils.parseKey(text);
    return !(key instanceof Error) && key.getPublicSSH().equals(blob);
  });
}
