/** Runs a command on a host over SSH. */
import type { Client, ClientChannel } from "ssh2";

import type { Connection } from "./connection.ts";
import { dial } from "./dial.ts";
import { ownVariables, previousOutput } from "./environment.ts";
import { commandFailed, type Exit, redaction, remoteExit } from "./error-text.ts";
import { Output } from "./output.ts";
import { type PropertyMap, plain } from "./property-value.ts";
import type { Run } from "./run.ts";

export const runRemotely: Run = async (command, inputs, previous, { log, signal }) => {
  const values = plain(inputs) as PropertyMap;
  const inStream = redaction(inputs, "stream");
  const inError = redaction(inputs, "error");
  const { client, close } = await dial(values.connection as Connection, { signal, status: (line) => log.status(line) });
  client.on("error", () => {}); // The session ends with it and says so.
  try {
    const session = await openSession(client);
    for (const [name, value] of Object.entries(ownVariables(values))) {
      if (await request(session, (protocol, id) => protocol.env(id, name, value, true))) continue;
      log.error(refused(name));
      throw new Error(`could not set environment variable ${JSON.stringify(name)}: ssh: setenv failed`);
    }
    for (const [name, value] of Object.entries(previousOutput(values, previous))) {
      if (!(await request(session, (protocol, id) => protocol.env(id, name, value, true)))) log.warn(refused(name));
    }

    const output = new Output(values.logging, (line) => log.status(inStream(line)));
    const ended = exitOf(session, output);
    const started = await request(session, (protocol, id) => protocol.exec(id, String(plain(command)), true));
    if (started) session.end((values.stdin ?? "") as string);
    const reason = started ? remoteExit(await ended) : `ssh: command ${String(plain(command))} failed`;
    output.end();
    if (reason !== undefined) throw new Error(inError(commandFailed(reason, command, output.both())));
    return { stdout: output.text("stdout"), stderr: output.text("stderr") };
  } finally {
    close();
    await log.delivered();
  }
};

function refused(name: string): string {
  return `The SSH server did not accept the variable ${name} (AcceptEnv in its configuration); a command can set it itself`;
}

/** The parts of ssh2 below its public surface: there, nobody waits for the answer to a variable. */
interface Protocol {
  session(channel: number, window: number, packet: number): void;
  env(channel: number, name: string, value: string, wantReply: boolean): void;
  exec(channel: number, command: string, wantReply: boolean): void;
}

type Opened = ((error: Error | undefined, channel: Session) => void) & { type?: string };

interface ClientInternals {
  _protocol: Protocol;
  _chanMgr: { add(opened: Opened): number };
}

type Session = ClientChannel & {
  _callbacks: ((failed: unknown) => void)[];
  _client: ClientInternals;
  outgoing: { id: number };
};

const WINDOW = 2 * 1024 * 1024;
const PACKET = 32 * 1024;

function openSession(client: Client): Promise<Session> {
  const { _protocol, _chanMgr } = client as unknown as ClientInternals;
  return new Promise((resolve, reject) => {
    const opened: Opened = (error, channel) => (error ? reject(new Error(`ssh: ${error.message}`)) : resolve(channel));
    opened.type = "session";
    _protocol.session(_chanMgr.add(opened), WINDOW, PACKET);
  });
}

/** Sends a request about the session and says whether the server agreed. */
function request(session: Session, send: (protocol: Protocol, id: number) => void): Promise<boolean> {
  return new Promise((resolve) => {
    session._callbacks.push((failed) => resolve(!failed));
    send(session._client._protocol, session.outgoing.id);
  });
}

/** Resolves when the session is closed and both streams have been read to their end. */
function exitOf(session: Session, output: Output): Promise<Exit> {
  const exit: Exit = {};
  session.on("exit", (code: number | null, signal?: string, _dump?: unknown, description?: string) => {
    Object.assign(exit, { code, signal, description });
  });
  session.on("data", (chunk: Buffer) => output.push("stdout", chunk));
  session.stderr.on("data", (chunk: Buffer) => output.push("stderr", chunk));
  session.on("error", () => {});
  const closed = new Promise((resolve) => session.on("close", resolve));
  const read = new Promise((resolve) => session.stderr.on("end", resolve));
  return Promise.all([closed, read]).then(() => exit);
}
