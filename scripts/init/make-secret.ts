import { randomInt } from "node:crypto";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const alphabet = `${letters}0123456789`;

/** A root secret: 43 letters and digits (256 bits), the first a letter. */
export function makeRootSecret(): string {
  const pick = (from: string) => from[randomInt(from.length)];
  return pick(letters) + Array.from({ length: 42 }, () => pick(alphabet)).join("");
}
