import { get } from "node:http";
import { ports } from "../../components/model/ports.ts";
import { recordEntry } from "../../components/model/record.ts";
import type { PeerAnswer } from "./boot.ts";

const deadlineMs = 1_000;

/** Asks the agent at an address for the newest entry it has seen. */
export function askPeer(address: string): Promise<PeerAnswer> {
  return new Promise((resolve) => {
    const silent = () => resolve({ state: "silent" });
    const request = get(
      { host: address, port: ports.roles, path: "/record", signal: AbortSignal.timeout(deadlineMs) },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part) => (text += part));
        response.on("error", silent);
        response.on("end", () => {
          try {
            const { known, primary } = JSON.parse(text);
            resolve({ state: "answers", primary: primary === true, known: known && recordEntry.parse(known) });
          } catch {
            silent();
          }
        });
      },
    );
    request.on("error", silent);
  });
}
