import type { Belief, BootDecision, RecordEntry } from "./record.ts";

/** What a host says about itself. Roles are what the running server answers, not what a file says. */
export interface HostFacts {
  hostname: string;
  /** systemd's ActiveState by unit. */
  units: Record<string, string>;
  /** Units whose new settings wait for `roll`. */
  restartNeeded: string[];
  postgres: {
    data: "empty" | "present" | "unknown";
    standbySignal: boolean;
    /** `silent`: it is there, but does not answer. */
    role: "primary" | "standby" | "down" | "silent";
    systemIdentifier?: string;
    timeline?: number;
    /** Token of the intent under which the very first database was made here. */
    firstToken: string;
    /** Whether the record lets it start here; read anew. */
    boot: BootDecision;
  };
  /** The cluster record as this node sees it, read anew. */
  record: { belief: Belief; known?: RecordEntry };
  redis: { role: "master" | "slave" | "down"; configured: string; boot: BootDecision };
  harbor: {
    /** sha256 of the installer that was run last; empty: none. */
    installed: string;
    received: string[];
    /** Whether Harbor's own cleaning was scheduled from here. */
    scheduled: boolean;
    answers: boolean;
    drained: boolean;
    standIn: boolean;
  };
  /** Whether somebody works on it: the agent starts nothing and tells nobody. */
  maintenance: boolean;
  storage: { ok: boolean; id: string; reason: string };
  /** Why Harbor on this node could not use a server of yours; empty: it can, or there is none. */
  unreachable: { database?: string; redis?: string };
  /** IPv4 addresses the host holds now; the virtual one among them makes it the endpoint's holder. */
  addresses: string[];
}
