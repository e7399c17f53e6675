/** The words in which a failed command is reported, and what must never be among them. */
import { constants } from "node:os";

import { isSecret, type PropertyMap, plain, secretTexts, texts } from "./property-value.ts";

const HIDDEN = "[secret]";
const NAMED: Record<string, string> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** A text between double quotes, with Go's escapes. */
export function quoted(text: string): string {
  const escaped = Array.from(text, (character) => {
    if (NAMED[character] !== undefined) return NAMED[character];
    if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff) return "\ufffd";
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

/** An error travels in a header, and a header of more than 16 MB ends the connection for every resource. */
export const LONGEST_OUTPUT = 4 * 1024 * 1024;

export function commandFailed(reason: string, command: unknown, output: string): string {
  const shown = isSecret(command) ? quoted(HIDDEN) : quoted(String(command));
  const left = output.length - LONGEST_OUTPUT;
  const end = left > 0 ? `[the first ${left} characters are left out]\n${output.slice(-LONGEST_OUTPUT)}` : output;
  return `${reason}: running ${shown}:\n${end}`;
}

export interface Exit {
  code?: number | null | undefined;
  signal?: string | null | undefined;
  description?: string | undefined;
}

/** Go's words for how a local process ended; undefined when it ended well. */
export function localExit({ code, signal }: Exit): string | undefined {
  if (signal) return `signal: ${LOCAL_SIGNALS[signal] ?? signal}`;
  return code === 0 ? undefined : `exit status ${code}`;
}

const LOCAL_SIGNALS: Record<string, string> = {
  SIGABRT: "aborted",
  SIGBUS: "bus error",
  SIGFPE: "floating point exception",
  SIGHUP: "hangup",
  SIGILL: "illegal instruction",
  SIGINT: "interrupt",
  SIGKILL: "killed",
  SIGPIPE: "broken pipe",
  SIGQUIT: "quit",
  SIGSEGV: "segmentation fault",
  SIGTERM: "terminated",
};

/** The same for a process at the other end of an SSH session. */
export function remoteExit({ code, signal, description }: Exit): string | undefined {
  if (signal) {
    const name = signal.replace(/^SIG/, "");
    const number = constants.signals[`SIG${name}` as NodeJS.Signals] ?? 0;
    const reason = description ? `. Reason was: ${description}` : "";
    return `Process exited with status ${128 + number} from signal ${name}${reason}`;
  }
  if (code === undefined || code === null) return "wait: remote command exited without exit status or exit signal";
  return code === 0 ? undefined : `Process exited with status ${code}`;
}

/** Hides in a text what a set of inputs holds in confidence. */
export type Redact = (text: string) => string;

const CREDENTIALS = ["password", "privateKey", "privateKeyPassword"];

/** The connection is secret as a whole; of it, only what opens a door is hidden, or "root" would vanish everywhere. */
function credentials(connection: unknown): string[] {
  const fields = plain(connection) as PropertyMap | undefined;
  if (typeof fields !== "object") return [];
  return [fields, (fields.proxy ?? {}) as PropertyMap].flatMap((part) => texts(CREDENTIALS.map((name) => part[name])));
}

/** For streams: credentials and secret values. For error texts also stdin, secret or not. */
export function redaction(inputs: PropertyMap, place: "stream" | "error"): Redact {
  const { connection, stdin, ...rest } = inputs;
  const secrets = [...credentials(connection), ...secretTexts(rest), ...secretTexts([stdin])];
  const lines = secrets.flatMap((text) => text.split("\n")).filter((line) => line.trim().length >= 8);
  const whole = place === "error" ? [...secrets, ...texts(stdin)] : secrets;
  const hidden = [...whole, ...lines].map((text) => text.trim()).filter((text) => text.length >= 4);
  const longestFirst = [...new Set(hidden)].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((result, value) => result.replaceAll(value, HIDDEN), text);
}
