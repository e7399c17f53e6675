import { setTimeout as sleep } from "node:timers/promises";
import { stoppedAt } from "../support/operator.ts";
import type { LabStack } from "../support/stack.ts";

/** The pair at the beginning of a fault: it was healthy a moment ago. */
export interface Scene {
  stack: LabStack;
  primary: string;
  standby: string;
  /** From 0 to below 1, by the seed. */
  random: () => number;
  /** How often this fault has been before. */
  before: number;
}

const lab = ({ stack }: Scene, ...words: string[]) => stack.ok("harbor-ha", "lab", ...words);
/** What an operator tries; whether it works is seen afterwards. */
async function tryTo({ stack }: Scene, ...words: string[]): Promise<void> {
  const { code, stderr } = await stack.harborHa(...words, "--yes");
  console.error(`  tried ${words.join(" ")}: exit code ${code}, ${stderr.trim().split("\n").at(-1)}`);
}
const pick = ({ primary, standby, random }: Scene) => (random() < 0.5 ? primary : standby);
/** Now, or seconds later: before and after replication degrades, in the middle of a command. */
const moment = ({ random }: Scene, seconds: number) => sleep(random() * seconds * 1000);
/** Every step comes in its turn. */
const step = ({ before }: Scene) => 1 + (before % 10);
const move = ({ random }: Scene) => (random() < 0.5 ? "switchover" : "failover");

/** Runs a command on a host that may end with it. */
const hit = ({ stack }: Scene, node: string, command: string) =>
  stack.onHost(node, `nohup sh -c "${command}" >/dev/null 2>&1 &`);

const clockFile = (unit: string) => `/etc/systemd/system/${unit}.service.d/wrong-clock.conf`;

/** Of one service, which starts anew with it: hosts of a lab share the machine's clock. */
async function wrongClock({ stack }: Scene, node: string, unit: string, seconds: string): Promise<void> {
  const lines = [
    "[Service]",
    "Environment=LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    `Environment=FAKETIME=${seconds} FAKETIME_DONT_FAKE_MONOTONIC=1`,
  ];
  const { code, stderr } = await stack.onHost(
    node,
    `command -v faketime >/dev/null || { apt-get -q update && apt-get -q -y install faketime; } >/dev/null 2>&1
    mkdir -p ${clockFile(unit).replace(/\/[^/]*$/, "")}
    printf '%s\n' ${lines.map((line) => `'${line}'`).join(" ")} > ${clockFile(unit)}
    command -v faketime && systemctl daemon-reload && systemctl restart ${unit}`,
  );
  if (code !== 0) throw new Error(`${node}: no wrong clock: ${stderr}`);
  await stack.untilStatus("the service is up again", ({ nodes }) =>
    nodes.every(({ host }) => host?.units[unit] === "active"),
  );
}

const rightClock = ({ stack }: Scene, node: string, unit: string) =>
  stack.onHost(node, `rm -f ${clockFile(unit)}; systemctl daemon-reload; systemctl kill -s KILL ${unit}`);

/** What is done to the pair, with what an operator does meanwhile; leading it back comes afterwards. */
export const faults: Record<string, (scene: Scene) => Promise<unknown>> = {
  async "primary's power, failover"(scene) {
    await lab(scene, "poweroff", scene.primary);
    await tryTo(scene, "failover");
  },
  async "standby's power"(scene) {
    await lab(scene, "poweroff", scene.standby);
    await moment(scene, 12);
  },
  async "both nodes' power"(scene) {
    await lab(scene, "poweroff", scene.standby);
    await moment(scene, 8);
    await lab(scene, "poweroff", scene.primary);
  },
  async "primary's power while degraded, failover"(scene) {
    await lab(scene, "poweroff", scene.standby);
    await moment(scene, 12);
    await lab(scene, "poweroff", scene.primary);
    await lab(scene, "poweron", scene.standby);
    await tryTo(scene, "failover");
  },
  "kill -9 postmaster": (scene) =>
    hit(scene, pick(scene), "kill -9 $(head -1 /var/lib/postgresql/17/main/postmaster.pid)"),
  async "SIGSTOP PostgreSQL, failover"(scene) {
    await hit(scene, scene.primary, "systemctl kill -s STOP postgresql@17-main");
    await moment(scene, 8);
    const moved = tryTo(scene, "failover");
    // It wakes in the middle, or when the other node is the primary.
    if (scene.random() < 0.5) await moment(scene, 8);
    else await moved;
    await hit(scene, scene.primary, "systemctl kill -s CONT postgresql@17-main");
    await moved;
  },
  async "network of the primary cut, failover"(scene) {
    await lab(scene, "network", scene.primary, "cut");
    await moment(scene, 25);
    const moved = tryTo(scene, "failover");
    await moment(scene, 10);
    // Mended in the middle or afterwards, unless its power was cut by then.
    await scene.stack.harborHa("lab", "network", scene.primary, "mended");
    await moved;
  },
  async "network of the standby cut"(scene) {
    await lab(scene, "network", scene.standby, "cut");
    await moment(scene, 25);
    await lab(scene, "network", scene.standby, "mended");
  },
  async "one way deaf"(scene) {
    const [deaf, peer] = scene.random() < 0.5 ? ["node1", "node2"] : ["node2", "node1"];
    const rule = `INPUT -s $(getent hosts ${peer} | cut -d' ' -f1) -j DROP`;
    await scene.stack.onHost(deaf, `iptables -I ${rule}`);
    await moment(scene, 15);
    if (scene.random() < 0.5) await tryTo(scene, "switchover");
    await scene.stack.onHost(deaf, `iptables -D ${rule}`);
  },
  async "disk full"(scene) {
    const node = pick(scene);
    const file = "/var/lib/postgresql/17/filler";
    await scene.stack.onHost(node, `fallocate -l $(df -B1 --output=avail ${file.slice(0, 22)} | tail -1) ${file}`);
    await moment(scene, 20);
    await scene.stack.onHost(node, `rm -f ${file}`);
  },
  async "disk slow"(scene) {
    const node = pick(scene);
    await lab(scene, "disk", node, "slow");
    await moment(scene, 20);
    if (scene.random() < 0.5) await tryTo(scene, move(scene));
    await lab(scene, "disk", node, "normal");
  },
  async "clock of agent or database wrong, switchover"(scene) {
    const node = pick(scene);
    const unit = scene.random() < 0.5 ? "harbor-ha-agent" : "postgresql@17-main";
    await wrongClock(scene, node, unit, scene.random() < 0.5 ? "-7000" : "+7000");
    await tryTo(scene, "switchover");
    await rightClock(scene, node, unit);
  },
  async "storage hangs"(scene) {
    const node = pick(scene);
    await lab(scene, "storage", node, "hangs");
    await moment(scene, 15);
    if (scene.random() < 0.5) await tryTo(scene, move(scene));
    await lab(scene, "storage", node, "answers");
  },
  async "operator killed in a switchover"(scene) {
    await stoppedAt(scene.stack, step(scene), "SIGKILL", "switchover", "--yes");
  },
  async "operator killed in a failover"(scene) {
    await lab(scene, "poweroff", scene.primary);
    await stoppedAt(scene.stack, step(scene), "SIGKILL", "failover", "--yes");
  },
  async "new primary lost before the end"(scene) {
    await stoppedAt(scene.stack, 4 + Math.floor(scene.random() * 5), "SIGKILL", "switchover", "--yes");
    await lab(scene, "poweroff", scene.standby);
    await tryTo(scene, "failover", "--to", scene.primary);
  },
  async "two operators at once"(scene) {
    await Promise.all([tryTo(scene, "switchover"), moment(scene, 2).then(() => tryTo(scene, move(scene)))]);
  },
  async "operator suspended, another one takes over, the first wakes"(scene) {
    const sleeper = await stoppedAt(scene.stack, step(scene), "SIGSTOP", "switchover", "--yes");
    await tryTo(scene, "failover", "--to", pick(scene));
    await sleeper?.wake();
  },
  async "old primary returns at a bad moment"(scene) {
    await lab(scene, "poweroff", scene.primary);
    const moved = tryTo(scene, "failover");
    await moment(scene, 8);
    // The fence may cut its power again while it starts.
    await scene.stack.harborHa("lab", "poweron", scene.primary);
    await moved;
  },
  async "agents killed in a switchover"(scene) {
    const moved = tryTo(scene, "switchover");
    await moment(scene, 3);
    for (const node of ["node1", "node2"]) await hit(scene, node, "pkill -9 -f agent.cjs");
    await moved;
  },
};
