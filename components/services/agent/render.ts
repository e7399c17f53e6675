import { type Bundle, makeBundle } from "../../model/bundle.ts";
import { hostPaths } from "../../model/paths.ts";
import { ports } from "../../model/ports.ts";

export const agentUnit = "harbor-ha-agent.service";

/** The role endpoints of a node: /primary, /redis and /endpoint, for HAProxy's checks. */
export function renderAgent(address: string): Bundle {
  return makeBundle("agent", {
    files: {
      [`/etc/systemd/system/${agentUnit}`]: {
        mode: "0644",
        onChange: { reload: agentUnit },
        content: `[Unit]
Description=harbor-ha role endpoints
After=network.target

[Service]
ExecStart=/usr/bin/node ${hostPaths.programs}/agent.cjs
Environment=LISTEN_ADDRESS=${address} LISTEN_PORT=${ports.roles}
Restart=always
RestartSec=500ms
OOMScoreAdjust=-900
MemoryMax=256M

[Install]
WantedBy=multi-user.target
`,
      },
    },
    units: [agentUnit],
  });
}
