import { UserError } from "./user-error.ts";

/** Runs a program's main function: its number is the exit code; a person's mistake is one message, anything else keeps its stack. */
export async function runProgram(main: () => Promise<number | undefined>): Promise<void> {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (error instanceof Error && (error instanceof UserError || error.name === "LabError")) {
      console.error(`error: ${error.message}`);
      process.exitCode = error instanceof UserError ? error.exitCode : 1;
    } else {
      console.error(error);
      process.exitCode = 1;
    }
  }
}
