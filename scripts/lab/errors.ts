/** What went wrong, why and what to do, in words for a person. Callers print the message and no stack. */
export class LabError extends Error {
  override name = "LabError";
}
