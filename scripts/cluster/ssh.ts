import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import type { SshAccess } from "../../components/model/node.ts";
import { hostPaths } from "../../components/model/paths.ts";
import { asRoot, quote } from "../../components/model/shell.ts";
import { UserError } from "../user-error.ts";

export interface SshResult {
  /** Exit status; 255 is ssh's own failure: unreachable, refused, wrong key. */
  status: number;
  stdout: string;
  stderr: string;
}

interface RunOptions {
  input?: string | Readable;
  /** A line that the command says first; the input is sent only then, so that a command nobody waits for gets none. */
  after?: string;
  timeoutMs?: number;
}

/** A busy sshd (MaxStartups) hangs up before it has said its name: nothing has run, so asking again is safe. */
export const turnedAway = ({ status, stderr }: SshResult) =>
  status === 255 && /^kex_exchange_identification: .*(closed|reset)/m.test(stderr);

/**
 * Whether something answers at all, be it with a refusal. A host without power does not, and that shows long before ssh gives up
 * on it. Three attempts half a second apart, for one may get lost on the way.
 */
export async function answers(attempt: (givenUp: AbortSignal) => Promise<void>, pauseMs = 500): Promise<boolean> {
  const answered = new AbortController();
  const givenUp = new AbortController();
  for (let attempts = 0; attempts < 3 && !answered.signal.aborted; attempts++) {
    void attempt(givenUp.signal).then(() => answered.abort());
    await setTimeout(pauseMs, undefined, { signal: answered.signal }).catch(() => {});
  }
  const { aborted } = answered.signal;
  givenUp.abort();
  return aborted;
}

/** What the network says of a host that is gone, or of a way to it: no answer of its own. */
const silence = new Set(["EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ETIMEDOUT"]);

/** Ends when the address has taken the connection or refused it. */
const knock = (to: { host: string; port: number }, givenUp: AbortSignal) =>
  new Promise<void>((resolve) => {
    const socket = connect(to, () => socket.destroy());
    let silent = false;
    socket.on("error", ({ code = "" }: NodeJS.ErrnoException) => (silent = silence.has(code)));
    socket.on("close", () => silent || resolve());
    // A program does not end while a socket still tries.
    givenUp.addEventListener("abort", () => socket.destroy());
  });

/** Said where the host's lock was not free in time. */
export const lockHeld = (name: string) =>
  new UserError(
    `${name}: another operation holds the host's lock (${hostPaths.lock}); wait for it or end it, then run the same command again`,
  );

/** Something held on a host for as long as its holder lives. */
export interface Lease {
  release(): Promise<void>;
  /** Rejects when it ends before it is released: the host rebooted, or the connection is gone. */
  lost: Promise<void>;
}

/** Multiplexed ssh to one host with the system's own client: one login, many commands. Close it when done. */
export class Ssh {
  readonly name: string;
  private readonly access: SshAccess;
  private readonly sshConfig?: string;
  private readonly directory: string;
  private readonly forwarded = new Map<string, Promise<string>>();
  private readonly relays: Server[] = [];
  /** Whether the host has answered once: from then on its connection tells how it is. */
  private answered = false;

  constructor(name: string, access: SshAccess, sshConfig?: string) {
    this.name = name;
    this.access = access;
    this.sshConfig = sshConfig;
    // Short, for the control socket's path has at most 104 characters.
    this.directory = mkdtempSync(join(tmpdir(), "hha-"));
    const pinned = [access, ...(access.jump ? [access.jump] : [])];
    writeFileSync(
      join(this.directory, "known_hosts"),
      pinned.map(({ host, port, hostKey }) => `[${host}]:${port} ${hostKey}\n${host} ${hostKey}\n`).join(""),
    );
  }

  /** Arguments for ssh up to and including the host. */
  arguments(): string[] {
    const { jump, ...login } = this.access;
    return [...(jump ? ["-o", `ProxyCommand=${this.proxyCommand(jump)}`] : []), ...this.loginArguments(login)];
  }

  /** ssh's own -J would not use our pinned keys. Its command is a shell's, and knows percent signs. */
  private proxyCommand(jump: NonNullable<SshAccess["jump"]>): string {
    const words = ["ssh", "-W", "%h:%p", ...this.loginArguments({ ...jump, identityFile: this.access.identityFile })];
    return words.map((word) => (word === "%h:%p" ? word : quote(word).replaceAll("%", "%%"))).join(" ");
  }

  private loginArguments({ host, port, user, identityFile }: Omit<SshAccess, "hostKey" | "jump">): string[] {
    const options = [
      `UserKnownHostsFile=${join(this.directory, "known_hosts")}`,
      "StrictHostKeyChecking=yes",
      "BatchMode=yes",
      "ConnectTimeout=3",
      "ServerAliveInterval=5",
      "ServerAliveCountMax=2",
      "ControlMaster=auto",
      // One socket for each host on the way; %C is a digest of who is reached.
      `ControlPath=${join(this.directory, "%C")}`,
      "ControlPersist=30",
      "LogLevel=ERROR",
      ...(identityFile ? ["IdentitiesOnly=yes"] : []),
    ];
    return [
      ...(this.sshConfig ? ["-F", this.sshConfig] : []),
      ...options.flatMap((option) => ["-o", option]),
      ...(identityFile ? ["-i", identityFile] : []),
      "-p",
      String(port),
      `${user}@${host}`,
    ];
  }

  /** Runs a command on the host. Never rejects for a non-zero exit. */
  async run(command: string, options: RunOptions = {}): Promise<SshResult> {
    for (const wait of [200, 500, 1_000, 2_000]) {
      const result = await this.runOnce(command, options);
      // A stream is read once.
      if (!turnedAway(result) || typeof options.input === "object") return result;
      await setTimeout(wait);
    }
    return this.withJumpsReason(await this.runOnce(command, options));
  }

  /** ssh tells nobody why the host on the way let it down: that one is asked by itself. */
  private async withJumpsReason(result: SshResult): Promise<SshResult> {
    const { jump, identityFile } = this.access;
    if (!jump || !turnedAway(result)) return result;
    const words = [...this.loginArguments({ ...jump, identityFile }), "true"];
    const { status, stderr } = await collect(spawn("ssh", words, { stdio: "pipe", timeout: 20_000 }));
    return status === 255 ? { ...result, stderr: `jump host ${jump.host}: ${stderr}` } : result;
  }

  private async runOnce(command: string, { input, after, timeoutMs = 60_000 }: RunOptions): Promise<SshResult> {
    const { host, port } = this.access;
    if (!(await this.isThere()))
      return { status: 255, stdout: "", stderr: `ssh: connect to host ${host} port ${port}: Connection timed out` };
    const words = [...this.arguments(), asRoot(this.access.user, command)];
    return collect(spawn("ssh", words, { stdio: "pipe", timeout: timeoutMs }), input, after);
  }

  /** Knocks where ssh itself would, by a person's own settings too; a way round by another host is not ours to try. */
  private async isThere(): Promise<boolean> {
    if (this.answered) return true;
    const { stdout } = await collect(spawn("ssh", ["-G", ...this.arguments()], { stdio: "pipe" }));
    const setting = (name: string) => new RegExp(`^${name} (.*)$`, "m").exec(stdout)?.[1] ?? "";
    const detour = /^proxy(command|jump) (?!none$)/m.test(stdout);
    const to = { host: setting("hostname"), port: Number(setting("port")) };
    this.answered = detour || !to.host || (await answers((givenUp) => knock(to, givenUp)));
    return this.answered;
  }

  /** Runs a command that has to succeed. @returns what it printed. @throws UserError with its own words. */
  async must(command: string, options: RunOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run(command, options);
    if (status !== 0) throw new UserError(`${this.name}: ${stderr.trim()}`, status === 255 ? 3 : 1);
    return stdout;
  }

  /** Runs a program of the toolkit under the host's lock; a failure is an error with the program's own words. */
  async locked(program: string, args: string[], timeoutMs = 600_000): Promise<string> {
    const words = [`${hostPaths.programs}/${program}`, ...args].map(quote).join(" ");
    const { status, stdout, stderr } = await this.run(`flock -w 600 -E 75 ${hostPaths.lock} ${words}`, { timeoutMs });
    if (status === 75) throw lockHeld(this.name);
    if (status === 255)
      throw new UserError(`${this.name}: lost over SSH during \`${program} ${args[0]}\`: ${stderr.trim()}`, 3);
    if (status !== 0) throw new UserError(`${this.name}: ${program} ${args.join(" ")} failed:\n${stderr.trim()}`);
    return stdout.trim();
  }

  /**
   * Holds a command open on the host, once it has said a word on stdout, and lets it know every few seconds that somebody is
   * there.
   * @throws UserError with its words if it ends before.
   */
  lease(command: string, word: string): Promise<Lease> {
    const words = [...this.arguments(), asRoot(this.access.user, command)];
    const child = spawn("ssh", words, { stdio: "pipe" });
    const beat = setInterval(() => child.stdin.write("."), 3_000);
    let stderr = "";
    let released = false;
    const ended = new Promise<void>((done) => child.on("close", () => done()));
    const lost = ended.then(() => {
      clearInterval(beat);
      if (!released)
        throw new UserError(`${this.name}: ${stderr.trim() || "the lease was lost with the connection"}`, 2);
    });
    child.stdin.on("error", () => {});
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    return new Promise((resolve, reject) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        if (!text.includes(word)) return;
        resolve({
          lost,
          release() {
            released = true;
            child.stdin.end();
            return ended;
          },
        });
      });
      child.on("error", reject);
      lost.catch(reject);
    });
  }

  /** A local path that leads to a unix socket on the host, as root there; made once per connection. */
  forwardSocket(remote: string, localName: string): Promise<string> {
    let path = this.forwarded.get(localName);
    if (!path) {
      path = this.relay(remote, join(this.directory, localName));
      this.forwarded.set(localName, path);
    }
    return path;
  }

  /** Not ssh's own forwarding: that would reach the socket as the login user, whom PostgreSQL does not know. */
  private relay(remote: string, local: string): Promise<string> {
    const command = asRoot(this.access.user, `exec node ${hostPaths.programs}/agent.cjs relay ${quote(remote)}`);
    const server = createServer((socket) => {
      const child = spawn("ssh", [...this.arguments(), command], { stdio: ["pipe", "pipe", "ignore"] });
      socket.on("error", () => child.kill()).pipe(child.stdin);
      child.stdout.pipe(socket);
      child.stdin.on("error", () => {});
      child.on("error", () => socket.destroy()).on("close", () => socket.destroy());
    });
    this.relays.push(server);
    return new Promise((resolve, reject) => server.on("error", reject).listen(local, () => resolve(local)));
  }

  /** Ends the shared connection and removes its files. */
  close(): void {
    for (const relay of this.relays) relay.close();
    spawn("ssh", ["-O", "exit", ...this.arguments()], { stdio: "ignore" }).on("close", () =>
      rmSync(this.directory, { recursive: true, force: true }),
    );
  }
}

function collect(
  child: ChildProcessWithoutNullStreams,
  input: string | Readable = "",
  after?: string,
): Promise<SshResult> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      if (after === undefined || !stdout.startsWith(after)) return;
      stdout = stdout.slice(after.length);
      after = undefined;
      child.stdin.end(input);
    });
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ status: code ?? 255, stdout, stderr }));
    child.stdin.on("error", () => {});
    if (typeof input === "object") input.pipe(child.stdin);
    else if (after === undefined) child.stdin.end(input);
  });
}
