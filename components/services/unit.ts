import type { BundleFile } from "../model/bundle.ts";

/** Where our additions to a distribution's unit lie. */
export const dropIn = (unit: string) => `/etc/systemd/system/${unit}.d/60-harbor-ha.conf`;

/** A service without a role comes back whatever ends it, for ever; distributions give up after a few times, or at once. */
export function alwaysUp(...settings: string[]): BundleFile {
  return {
    mode: "0644",
    content: [
      "[Unit]",
      "StartLimitIntervalSec=0",
      "",
      "[Service]",
      "Restart=always",
      "RestartSec=500ms",
      ...settings,
      "",
    ].join("\n"),
  };
}

/** PostgreSQL and Redis: the record decides at every start, whoever asks for it; the agent tries again for ever. */
export function startedByRecord(gate: string, ...settings: string[]): BundleFile {
  return {
    mode: "0644",
    content: ["[Unit]", "StartLimitIntervalSec=0", "", "[Service]", "Restart=no", gate, ...settings, ""].join("\n"),
  };
}
