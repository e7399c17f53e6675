import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { readFile, statfs } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import type { AgentSettings, NotifyHook } from "../../components/model/agent.ts";
import { hostPaths } from "../../components/model/paths.ts";
import type { RecordEntry } from "../../components/model/record.ts";
import { type Condition, conditions, type Notice, notices } from "./notices.ts";
import { deliver, messageOf } from "./notify.ts";

/** Local file systems only: the shared one may hang. */
const mounts = ["/", hostPaths.postgresData, "/var/lib/docker", hostPaths.harborData];

/** What the daemon knows and people may have to be told. */
interface Seen {
  newest?: RecordEntry;
  primary: boolean;
  recordUnreadable?: string;
}

/** Looks at what people should know, and tells them once when it begins and once when it is over. */
export class Watcher {
  private readonly settings: AgentSettings;
  private readonly hook: NotifyHook;
  private readonly told = new Map<string, Condition>();
  private readonly since = new Map<string, number>();
  private heldEndpoint?: boolean;
  /** One delivery after the other, so that people read things in their order. */
  private deliveries: Promise<void> = Promise.resolve();

  constructor(settings: AgentSettings, hook: NotifyHook) {
    this.settings = settings;
    this.hook = hook;
    const mark = `${hostPaths.run}/agent-started`;
    if (existsSync(mark))
      this.tell({ id: "agent-restarted", state: "event", severity: "info", sentence: "the agent was restarted" });
    mkdirSync(hostPaths.run, { recursive: true });
    writeFileSync(mark, "");
  }

  async look({ newest, primary, recordUnreadable }: Seen): Promise<void> {
    const unreadableMs = this.lasting("record", recordUnreadable !== undefined);
    const now = conditions({
      self: this.settings.self.name,
      newest,
      noPrimaryMs: this.lasting("primary", !primary),
      recordUnreadable:
        unreadableMs === undefined ? undefined : { forMs: unreadableMs, reason: recordUnreadable ?? "" },
      disks: await fullness(),
      certificateDaysLeft: await certificateDaysLeft(),
    });
    for (const notice of notices(this.told, now)) this.tell(notice);
    this.told.clear();
    for (const condition of now) this.told.set(condition.id, condition);
    const holds = Object.values(networkInterfaces()).some((addresses) =>
      addresses?.some(({ address }) => address === this.settings.virtualAddress),
    );
    if (this.heldEndpoint === false && holds)
      this.tell({
        id: "endpoint-moved",
        state: "event",
        severity: "info",
        sentence: `the endpoint ${this.settings.virtualAddress} moved here`,
      });
    this.heldEndpoint = holds;
  }

  private tell(notice: Notice): void {
    const message = messageOf(notice, this.settings);
    console.error(`telling people: ${notice.sentence} [${notice.id}]`);
    this.deliveries = this.deliveries
      .then(() => deliver(this.hook, message))
      .catch((error) => console.error(`not delivered: ${error.message}`));
  }

  /** For how long something has been so; undefined: it is not. */
  private lasting(what: string, is: boolean): number | undefined {
    if (!is) {
      this.since.delete(what);
      return undefined;
    }
    const began = this.since.get(what) ?? performance.now();
    this.since.set(what, began);
    return performance.now() - began;
  }
}

/** Use of the local file systems, by mount point. */
export async function fullness(): Promise<Record<string, number>> {
  const used: Record<string, number> = {};
  const seen = new Set<string>();
  for (const mount of mounts) {
    const found = await statfs(mount).catch(() => undefined);
    if (!found || found.blocks === 0) continue;
    // The same file system under two names is told of once.
    const identity = `${found.blocks} ${found.bfree} ${found.files}`;
    if (seen.has(identity)) continue;
    seen.add(identity);
    used[mount] = 1 - found.bavail / (found.blocks - found.bfree + found.bavail);
  }
  return used;
}

async function certificateDaysLeft(): Promise<number | undefined> {
  const text = await readFile(`${hostPaths.certificates}/endpoint.crt`, "utf8").catch(() => undefined);
  if (!text) return undefined;
  return (new Date(new X509Certificate(text).validTo).getTime() - Date.now()) / 86_400_000;
}
