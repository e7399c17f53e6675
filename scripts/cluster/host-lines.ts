/** What a script on a host has said: one fact a line, key first, `end` last. */
export class HostLines {
  private readonly lines: string[];
  private constructor(lines: string[]) {
    this.lines = lines;
  }

  /** @returns nothing if the answer was cut off. */
  static read(text: string): HostLines | undefined {
    const lines = text.trim().split("\n");
    return lines.at(-1) === "end" ? new HostLines(lines) : undefined;
  }

  /** The rest of each line with that key. */
  all(key: string): string[] {
    return this.lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1).trim());
  }

  /** The same, as words. */
  words(key: string): string[][] {
    return this.all(key).map((line) => line.split(" "));
  }

  /** The rest of the first line with that key; empty without one. */
  one(key: string): string {
    return this.all(key)[0] ?? "";
  }

  /**
   * Seconds by which the host's clock is ahead of the operator's, whose clock `asked` and `answered` are. Within the time the
   * question took nothing can be said.
   */
  clockAhead(asked: number, answered: number): number {
    const clock = Number(this.one("clock"));
    return clock < asked ? clock - asked : clock > answered ? clock - answered : 0;
  }
}
