import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Claim, Reading, RecordAccess, RecordEntry } from "../../components/model/record.ts";

/** What the child is asked; the answer carries the same id. */
export type RecordRequest =
  | { do: "read" }
  /** Numbers that exist and the newest entries that can be read, newest first. */
  | { do: "history"; last: number }
  | { do: "claim"; previous: number; entry: Claim; by: string }
  | { do: "race"; trial: string; from: number; to: number; text: string }
  | { do: "prove"; trial: string }
  | { do: "forget"; trial: string }
  /** Writes entries that exist elsewhere; one that is there already must be the same. */
  | { do: "restore"; entries: RecordEntry[] }
  /** Whether nobody is to believe the record at this place any more. */
  | { do: "seal"; moved: boolean };

export interface ClaimResult {
  won: boolean;
  newest: RecordEntry;
}

/** A read or claim that takes longer has failed; what a late claim did, the next reading shows. */
const deadlineMs = 4_000;

/**
 * The record, asked through a child process: a share that hangs holds the child in an uninterruptible wait, never us. One
 * child at a time; after a missed deadline the next one starts once the hung one is gone.
 */
export class RecordClient {
  private readonly command: [string, ...string[]];
  private readonly place: RecordAccess;
  private child?: ChildProcess;
  private dying?: ChildProcess;
  private count = 0;
  private readonly waiting = new Map<number, (answer: { result?: unknown; error?: string }) => void>();

  /** `command` starts this program again in the role of the child, which hears of the place, and what opens it, on stdin. */
  constructor(place: RecordAccess, command: [string, ...string[]]) {
    this.place = place;
    this.command = command;
  }

  read(): Promise<Reading> {
    return this.ask<Reading>({ do: "read" }).catch((error: Error) => ({
      state: "unreadable",
      reason: error.message,
    }));
  }

  claim(previous: number, entry: Claim, by: string): Promise<ClaimResult> {
    return this.ask({ do: "claim", previous, entry, by });
  }

  async ask<T>(request: RecordRequest, milliseconds = deadlineMs): Promise<T> {
    if (this.dying) throw new Error("the storage of the record hangs");
    const child = this.start();
    const id = ++this.count;
    return new Promise<T>((resolve, reject) => {
      const finish = (answer: { result?: unknown; error?: string }) => {
        clearTimeout(timer);
        this.waiting.delete(id);
        if (answer.error === undefined) resolve(answer.result as T);
        else reject(new Error(answer.error));
      };
      const timer = setTimeout(() => {
        this.abandon(child);
        finish({ error: `the storage of the record did not answer within ${milliseconds / 1000} s` });
      }, milliseconds);
      this.waiting.set(id, finish);
      child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }

  close(): void {
    if (this.child) this.abandon(this.child);
  }

  private start(): ChildProcess {
    if (this.child) return this.child;
    const [program, ...args] = this.command;
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.child = child;
    child.stdin.write(`${JSON.stringify(this.place)}\n`);
    createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }).on("line", (line) => {
      const { id, ...answer } = JSON.parse(line);
      this.waiting.get(id)?.(answer);
    });
    child.stdin?.on("error", () => {});
    const gone = () => {
      if (this.child === child) this.child = undefined;
      if (this.dying === child) this.dying = undefined;
      for (const finish of this.waiting.values()) finish({ error: "the reader of the record ended" });
    };
    child.on("error", gone);
    child.on("exit", gone);
    return child;
  }

  private abandon(child: ChildProcess): void {
    if (this.child === child) this.child = undefined;
    this.dying = child;
    child.kill("SIGKILL");
    // A hung child must not hold us either.
    child.unref();
    for (const stream of [child.stdin, child.stdout]) (stream as { unref?: () => void } | null)?.unref?.();
  }
}
