/** How to reach a host: what the program said, with defaults, keys parsed. */
import { connect } from "node:net";
import ssh2, { type AnyAuthMethod } from "ssh2";

export interface Endpoint {
  host: string;
  port?: number;
  user?: string;
  hostKey?: string;
  privateKey?: string;
  privateKeyPassword?: string;
  password?: string;
  agentSocketPath?: string;
  dialErrorLimit?: number;
  perDialTimeout?: number;
}

export interface Connection extends Endpoint {
  proxy?: Endpoint;
}

export const DEFAULTS = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };

/** The key as it lies on the wire, and its type: only that type is asked for. */
export interface HostKey {
  type: string;
  blob: Buffer;
}

/** `type base64`, with or without options before it and a comment behind. */
export function parseHostKey(text: string): HostKey {
  const words = text.trim().split(/\s+/);
  for (const [index, type] of words.entries()) {
    const blob = Buffer.from(words[index + 1] ?? "", "base64");
    const length = blob.length > 4 ? blob.readUInt32BE(0) : 0;
    if (length > 0 && blob.subarray(4, 4 + length).toString("latin1") === type) return { type, blob };
  }
  throw new Error("failed to parse host key: ssh: no key found");
}

function parsePrivateKey(text: string, passphrase: string | undefined) {
  const unprotected = ssh2.utils.parseKey(text);
  if (!(unprotected instanceof Error)) {
    if (passphrase !== undefined) throw new Error("ssh: key is not password protected");
    return unprotected;
  }
  if (/BEGIN (ENCRYPTED )?PRIVATE KEY/.test(text)) {
    throw new Error(
      "ssh: the stand-in for the command plugin reads no PKCS#8 keys; ssh-keygen -p writes OpenSSH's format",
    );
  }
  if (!/no passphrase given/.test(unprotected.message)) throw new Error("ssh: no key found");
  if (passphrase === undefined) throw new Error("ssh: this private key is passphrase protected");
  const key = ssh2.utils.parseKey(text, passphrase);
  if (key instanceof Error) throw new Error("x509: decryption password incorrect");
  return key;
}

/** What to log in with, in the order in which it is tried. */
export async function authMethods(
  endpoint: Endpoint,
  env: Record<string, string | undefined>,
): Promise<AnyAuthMethod[]> {
  const username = endpoint.user ?? DEFAULTS.user;
  const methods: AnyAuthMethod[] = [{ type: "none", username }];
  const { privateKey, password } = endpoint;
  if (privateKey !== undefined) {
    methods.push({ type: "publickey", username, key: parsePrivateKey(privateKey, endpoint.privateKeyPassword) });
  }
  if (password !== undefined) {
    methods.push({ type: "password", username, password });
    methods.push({
      type: "keyboard-interactive",
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password)),
    });
  }
  const agent = endpoint.agentSocketPath ?? (env.SSH_AUTH_SOCK || undefined);
  if (agent !== undefined) {
    await reachAgent(agent); // A stale socket fails even where a private key would do.
    if (privateKey === undefined) methods.push({ type: "agent", username, agent });
  }
  return methods;
}

function reachAgent(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.on("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(`dial unix ${path}: connect: ${systemWords(error)}`)),
    );
  });
}

/** A system error as Go puts it. */
export function systemWords(error: NodeJS.ErrnoException): string {
  const words: Record<string, string> = {
    ECONNREFUSED: "connection refused",
    ECONNRESET: "connection reset by peer",
    EHOSTUNREACH: "no route to host",
    ENETUNREACH: "network is unreachable",
    ENOENT: "no such file or directory",
    ENOTSOCK: "socket operation on non-socket",
    EACCES: "permission denied",
  };
  return words[error.code ?? ""] ?? error.message;
}
