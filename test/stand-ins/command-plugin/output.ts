/** What a command prints: collected for the outputs, and line by line for whoever watches. */
import { StringDecoder } from "node:string_decoder";

export type Logging = "stdout" | "stderr" | "stdoutAndStderr" | "none";
export type Source = "stdout" | "stderr";

/** A longer line is passed on in pieces: no line may stop the stream. */
const LONGEST_LINE = 64 * 1024;

/** Not set means both; a word that is not known means none. */
export function isLogged(source: Source, logging: unknown): boolean {
  return logging === undefined || logging === "stdoutAndStderr" || logging === source;
}

export class Lines {
  readonly #emit: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#pass(line.replace(/\r$/, ""));
    while (this.#rest.length >= LONGEST_LINE) {
      this.#emit(this.#rest.slice(0, LONGEST_LINE));
      this.#rest = this.#rest.slice(LONGEST_LINE);
    }
  }

  end(): void {
    const last = this.#rest + this.#decoder.end();
    this.#rest = "";
    if (last !== "") this.#pass(last.replace(/\r$/, ""));
  }

  #pass(line: string): void {
    if (line === "") this.#emit("");
    for (let at = 0; at < line.length; at += LONGEST_LINE) this.#emit(line.slice(at, at + LONGEST_LINE));
  }
}

export class Output {
  readonly #chunks: { source: Source; bytes: Buffer }[] = [];
  readonly #lines = new Map<Source, Lines>();

  constructor(logging: unknown, emit: (line: string) => void) {
    for (const source of ["stdout", "stderr"] as const) {
      if (isLogged(source, logging)) this.#lines.set(source, new Lines(emit));
    }
  }

  push(source: Source, bytes: Buffer): void {
    this.#chunks.push({ source, bytes });
    this.#lines.get(source)?.push(bytes);
  }

  end(): void {
    for (const lines of this.#lines.values()) lines.end();
  }

  /** Both streams in the order of arrival, for error texts. */
  both(): string {
    return Buffer.concat(this.#chunks.map((chunk) => chunk.bytes)).toString("utf8");
  }

  /** One stream, with exactly one trailing newline taken off. */
  text(source: Source): string {
    const bytes = Buffer.concat(this.#chunks.filter((chunk) => chunk.source === source).map((chunk) => chunk.bytes));
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\n$/, "");
    } catch {
      throw new Error(`${source} contains invalid UTF-8; encode it, for example with base64`);
    }
  }
}
