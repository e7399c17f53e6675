import type { AgentSettings, NotifyHook } from "../../model/agent.ts";
import { type Bundle, makeBundle } from "../../model/bundle.ts";
import type { Node } from "../../model/node.ts";
import { hostPaths } from "../../model/paths.ts";
import type { RecordKeys } from "../../model/record.ts";
import { dataServices, peerOf, type Topology, virtualAddressOf } from "../../model/topology.ts";

export const agentUnit = "harbor-ha-agent.service";

export interface AgentOptions {
  degradeAfterSeconds: number;
  durability: "available" | "strict";
}

/** The agent of a node: role endpoints, boot gate, synchronous replication by the record. */
export function renderAgent(
  topology: Topology,
  node: Node,
  options: AgentOptions,
  scripts: { own: string; lease: string },
  notify?: NotifyHook,
  recordKeys?: RecordKeys,
): Bundle {
  const settings: AgentSettings = {
    self: place(node),
    peer: place(peerOf(topology, node.name)),
    services: dataServices(topology),
    record: topology.record,
    ...(recordKeys ? { recordKeys } : {}),
    degradeAfterSeconds: options.degradeAfterSeconds,
    durability: options.durability,
    stack: topology.stack,
    virtualAddress: virtualAddressOf(topology),
    ...(notify ? { notify } : {}),
  };
  return makeBundle("agent", {
    files: {
      [hostPaths.agent]: {
        // A webhook's address is a secret.
        mode: "0600",
        onChange: { reload: agentUnit },
        content: `${JSON.stringify(settings, null, 2)}\n`,
      },
      [`${hostPaths.programs}/own.sh`]: { mode: "0755", content: scripts.own },
      [`${hostPaths.programs}/lease.sh`]: { mode: "0755", content: scripts.lease },
      [`/etc/systemd/system/${agentUnit}`]: {
        mode: "0644",
        onChange: { reload: agentUnit },
        content: `[Unit]
Description=harbor-ha agent
After=network.target
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/bin/node --max-old-space-size=64 ${hostPaths.programs}/agent.cjs
Restart=always
RestartSec=500ms
# A reader that hangs on a dead share cannot be killed; it must not keep the agent from coming back.
KillMode=process
TimeoutStopSec=5s
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

const place = ({ name, address }: Node) => ({ name, address });

/** What a unit runs first, whoever starts it: the record decides whether the service may run on this node. */
export const gateBefore = (service: "postgres" | "redis") =>
  `ExecStartPre=+/usr/bin/node ${hostPaths.programs}/agent.cjs gate ${service}`;
