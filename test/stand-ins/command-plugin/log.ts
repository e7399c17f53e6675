/** Where a provider speaks: the engine's log, never stdout. */
export interface Log {
  /** A line for the live status column; it leaves no trace. */
  status(line: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
  /** Resolves once everything said so far has been delivered. */
  delivered(): Promise<void>;
}

export const silent: Log = {
  status() {},
  info() {},
  warn() {},
  error() {},
  async delivered() {},
};
