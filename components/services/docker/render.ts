import { type Bundle, makeBundle } from "../../model/bundle.ts";
import { distributions } from "../../model/system.ts";
import type { Topology } from "../../model/topology.ts";
import { alwaysUp, dropIn } from "../unit.ts";

/** Docker Engine and Compose, for Harbor. Its bridge address is the service address, the same on both nodes. */
export function renderDocker(topology: Topology): Bundle {
  const [a, b] = topology.dockerPool.split(".");
  const daemon = {
    bip: `${topology.serviceAddress}/24`,
    "default-address-pools": [{ base: `${a}.${b}.128.0/17`, size: 24 }],
    "log-driver": "json-file",
    "log-opts": { "max-size": "50m", "max-file": "5" },
    "live-restore": true,
  };
  return makeBundle("docker", {
    packages: distributions[topology.system].docker,
    files: {
      [dropIn("docker.service")]: alwaysUp(),
      "/etc/docker/daemon.json": {
        mode: "0644",
        onChange: { restart: "docker.service" },
        content: `${JSON.stringify(daemon, null, 2)}\n`,
      },
    },
    units: ["docker.service"],
  });
}
