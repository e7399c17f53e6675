import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { hostAddress } from "../../components/model/address.ts";
import { labKeys } from "../../components/model/lab.ts";
import { stackDirectory } from "../../scripts/paths.ts";
import { firstLight } from "../support/first-light.ts";
import { asRoot, hostKey, initStackOn, makeMachines, nodes } from "../support/machines.ts";
import { LabStack, testStack, testSubnet } from "../support/stack.ts";

// Two machines that the toolkit did not make: reached as a user with sudo, through a third one alone.
const gate = { name: "gate", address: hostAddress(testSubnet, 13) };

firstLight({
  async build(stack) {
    await makeMachines([gate]);
    for (const { name } of [...nodes, gate]) await giveUser(name);
    for (const { name } of nodes) await letInOnlyThroughGate(name);
    await initStackOn(stack, {
      "hosts.user": "deploy",
      "hosts.jump.host": gate.address,
      "hosts.jump.user": "deploy",
      "hosts.jump.hostKey": hostKey(gate.name),
      "hosts.fence": 'harbor-ha lab poweroff "$HARBOR_HA_NODE"',
    });
    const { stdout } = await stack.ok("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
    expect(stdout).toContain("fenced by hosts.fence");
  },

  /** The machines are forgotten, and everything on them goes on. */
  async takeDown(stack) {
    const { stdout } = await stack.ok("pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive");
    expect(stdout).toContain(`npx harbor-ha uninstall --host deploy@${nodes[0].address}`);
    for (const { name } of nodes)
      await asRoot(
        name,
        "systemctl is-active postgresql@17-main redis-server harbor-ha-agent harbor-ha-harbor haproxy",
      );

    // From a node's own copy of the inventory, for the stack is gone; ssh finds its way by an ssh_config of the operator's.
    const config = join(stackDirectory(testStack), "ssh_config");
    writeFileSync(config, sshConfig());
    const uninstall = await stack.ok("harbor-ha", "uninstall", "--host", "node1", "--ssh-config", config, "--yes");
    expect(uninstall.stderr).toContain("Kept: /var/lib/postgresql/17");
    for (const { name } of nodes) {
      const left = await asRoot(name, whatIsLeft);
      expect(left.stdout.split("\n")).toEqual(["17", "data"]);
    }
    await LabStack.remove();
  },
});

/** Prints what is there and must not be, then the version of the data that must. */
const whatIsLeft = `
  for unit in postgresql@17-main redis-server pgbouncer haproxy keepalived harbor-ha-agent harbor-ha-harbor docker; do
    systemctl is-active --quiet $unit && echo "$unit runs"
  done
  systemctl is-active --quiet chrony || systemctl show -p ConditionResult --value chrony | grep -qx no || echo "chrony is down"
  apt-mark showhold
  ls -d /etc/harbor-ha /opt/harbor /usr/local/lib/harbor-ha /usr/sbin/policy-rc.d /etc/systemd/system/harbor-ha-* 2>/dev/null
  find /etc/systemd -name '60-harbor-ha.conf'
  cat /var/lib/postgresql/17/main/PG_VERSION
  [ -d /data ] && echo data`;

function sshConfig(): string {
  const host = (name: string, address: string, user: string) =>
    `Host ${name} ${address}\n  HostName ${address}\n  User ${user}\n`;
  return `${nodes.map(({ name, address }) => `${host(name, address, "deploy")}  ProxyJump gate\n`).join("")}${host("gate", gate.address, "deploy")}
Host *
  IdentityFile ${labKeys(testStack).identity}
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
`;
}

const giveUser = (node: string) =>
  asRoot(
    node,
    `set -e
    useradd --create-home --shell /bin/bash deploy
    install -d -o deploy -g deploy -m 0700 ~deploy/.ssh
    install -o deploy -g deploy -m 0600 ~root/.ssh/authorized_keys ~deploy/.ssh/authorized_keys
    echo 'deploy ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/deploy`,
  );

/** root only for the lab itself, which switches the machines on and off. */
const letInOnlyThroughGate = (node: string) =>
  asRoot(
    node,
    `echo 'AllowUsers deploy@${gate.address} root@${hostAddress(testSubnet, 1)}' > /etc/ssh/sshd_config.d/gate.conf
    systemctl reload ssh`,
  );
