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
    role: "primary" | "standby" | "down";
  };
  redis: { role: "master" | "slave" | "down"; configured: string };
  harbor: {
    /** sha256 of the installer that was run last; empty: none. */
    installed: string;
    received: string[];
    answers: boolean;
    drained: boolean;
    standIn: boolean;
  };
  storage: { ok: boolean; id: string; reason: string };
  /** IPv4 addresses the host holds now; the virtual one among them makes it the endpoint's holder. */
  addresses: string[];
}
