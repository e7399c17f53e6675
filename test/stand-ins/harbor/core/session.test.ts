import type { IncomingMessage, ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { CsrfGuard } from "./session.ts";

const keyA = "a".repeat(32);
const keyB = "b".repeat(32);

/** What a browser sends after a first answer of a node with this key. */
function visit(key: string) {
  const sent: Record<string, string> = {};
  const keep = (name: string, value: string) => {
    sent[name] = value;
  };
  const response = { setHeader: keep, appendHeader: keep } as unknown as ServerResponse;
  new CsrfGuard(key).issue({ headers: {} } as IncomingMessage, response);
  const cookie = sent["set-cookie"]?.split(";")[0] ?? "";
  return { headers: { cookie, "x-harbor-csrf-token": sent["x-harbor-csrf-token"] } } as unknown as IncomingMessage;
}

test("a write from the UI passes at every node with the same CSRF_KEY and at no other", () => {
  expect(new CsrfGuard(keyA).passes(visit(keyA))).toBe(true);
  expect(new CsrfGuard(keyB).passes(visit(keyA))).toBe(false);
});

test("a write without the header does not pass, and a key of another length is an error", () => {
  const request = visit(keyA);
  delete request.headers["x-harbor-csrf-token"];
  expect(new CsrfGuard(keyA).passes(request)).toBe(false);
  expect(() => new CsrfGuard("short").passes(request)).toThrow(/32 characters/);
});
