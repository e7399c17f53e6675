/** A mistake or a condition a person can act on: printed as its message alone, without a stack trace. */
export class UserError extends Error {
  /** Exit code of the command: 1 failed, 2 refused by a rule, 3 unknown. */
  readonly exitCode: 1 | 2 | 3;
  constructor(message: string, exitCode: 1 | 2 | 3 = 1) {
    super(message);
    this.name = "UserError";
    this.exitCode = exitCode;
  }
}
