import { type Bundle, makeBundle } from "../../model/bundle.ts";
import type { Node } from "../../model/node.ts";
import { peerOf, type Topology } from "../../model/topology.ts";
import { alwaysUp, dropIn } from "../unit.ts";

export const keepalivedPackages = ["keepalived"];
export const keepalivedUnit = "keepalived.service";

/**
 * keepalived holds the virtual address on one node: both start as BACKUP and never preempt, so the address moves only
 * when its holder or the holder's HAProxy dies.
 */
export function renderKeepalived(topology: Topology, node: Node): Bundle {
  // Behind a load balancer the bundle is empty, so that a former keepalived is stopped.
  if (topology.endpoint.kind === "loadBalancer") return makeBundle("keepalived", {});
  const peer = peerOf(topology, node.name);
  const { address, prefixLength } = topology.endpoint;
  const router = Number(address.split(".")[3]);
  return makeBundle("keepalived", {
    packages: keepalivedPackages,
    files: {
      [dropIn(keepalivedUnit)]: alwaysUp(),
      "/etc/keepalived/keepalived.conf": {
        mode: "0644",
        onChange: { reload: keepalivedUnit },
        content: `global_defs {
    router_id ${node.name}
    vrrp_version 3
    script_user root
    enable_script_security
}

vrrp_script haproxy {
    script "/usr/bin/systemctl is-active --quiet haproxy.service"
    interval 1
    timeout 2
    fall 2
    rise 2
}

vrrp_instance endpoint {
    state BACKUP
    nopreempt
    interface ${node.networkInterface}
    virtual_router_id ${router}
    priority ${node.name === topology.initialPrimary ? 110 : 100}
    # Three missed adverts: the address is on the other node after about two seconds.
    advert_int 0.5
    unicast_src_ip ${node.address}
    unicast_peer {
        ${peer.address}
    }
    virtual_ipaddress {
        ${address}/${prefixLength}
    }
    track_script {
        haproxy
    }
}
`,
      },
    },
    units: [keepalivedUnit],
  });
}
