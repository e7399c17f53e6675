import { describe, expect, test } from "vitest";
import { parseFacts } from "../../../scripts/preflight/facts.ts";
import { checkIds, judgeHost, judgeSilence } from "../../../scripts/preflight/rules.ts";
import { sampleInventory } from "../../support/sample.ts";

/** What host.sh says on a host that may become a node. */
const good = `root yes
system debian 13
architecture x86_64
systemd yes
memory 3915
clock 1000.500000000
disk / 18000
disk /var/lib/docker 18000
disk /var/lib/postgresql 18000
peer yes
mounted yes
lists yes
end
`;
const judge = (text: string) => {
  const facts = parseFacts(text, 1000, 1001);
  if (!facts) throw new Error("no full answer");
  return judgeHost("node2", facts, { ...sampleInventory().topology, stack: "prod" });
};
const line = (key: string, instead: string) => good.replace(new RegExp(`^${key}.*\n`, "m"), instead);
const also = (...lines: string[]) => good.replace("end\n", `${lines.join("\n")}\nend\n`);

test("a good host may become a node", () => {
  expect(judge(good)).toEqual([]);
});

const bad: [id: string, text: string, sentence: string][] = [
  ["host.system", line("system", "system debian 12\n"), "node2 runs debian 12, not debian 13"],
  ["host.system", line("system", ""), "node2 runs an unknown system"],
  ["host.architecture", line("architecture", "architecture i686\n"), "node2 is a i686 machine"],
  ["host.systemd", line("systemd", "systemd no\n"), "node2 does not run systemd"],
  ["host.root", line("root", "root no\n"), "node2 gives this user no root"],
  ["host.other-stack", also("ours staging"), "node2 is a node of the stack staging already"],
  ["host.memory", line("memory", "memory 1990\n"), "node2 has 1990 MB of memory"],
  [
    "host.disk",
    line("disk /var", "disk /var/lib/docker 900\n"),
    "node2 has only 900 MB in /var/lib/docker (needs 5000) free",
  ],
  ["host.disk", good.replaceAll(/^disk .*\n/gm, ""), "node2 has only 0 MB in / (needs 5000), 0 MB in /var/lib/docker"],
  [
    "host.ports",
    also("port 5432 postgres", "port 443 nginx"),
    "node2 has ports in use: 443 by nginx, 5432 by postgres",
  ],
  ["host.clock", line("clock", "clock 1090.0\n"), "node2 has a clock that is 89 s ahead of this machine's"],
  ["host.clock", line("clock", "clock 900.0\n"), "node2 has a clock that is 100 s behind this machine's"],
  ["host.peer", line("peer", "peer no\n"), "node2 cannot reach the other node"],
  ["host.mount", line("mounted", "mounted no\n"), "node2 has no shared storage mounted"],
  [
    "host.packages",
    also("no-package postgresql-17", "no-package haproxy"),
    "node2 finds no package postgresql-17, haproxy",
  ],
  ["host.docker", also("installed docker-ce"), "node2 has docker-ce installed"],
  ["host.names", also("no-name nas.example.com"), "node2 cannot resolve nas.example.com"],
  [
    "host.record",
    also("ours prod", `record ${JSON.stringify({ kind: "directory", path: "/elsewhere/record" })}`),
    "node2 keeps the cluster record in another place",
  ],
  ["host.policy", also("policy foreign"), "node2 has a /usr/sbin/policy-rc.d of somebody else"],
  ["host.postgres", also("cluster 15/main"), "node2 holds PostgreSQL clusters of somebody else: 15/main"],
];

describe("a bad host", () => {
  test.each(bad)("%s is found alone, with what to do", (id, text, sentence) => {
    const problems = judge(text);
    expect(problems).toEqual([
      { id, node: "node2", sentence: expect.stringContaining(sentence), remedy: expect.stringMatching(/[a-z]/) },
    ]);
  });

  test("every check has a host that fails it", () => {
    expect(checkIds.filter((id) => !bad.some(([bad]) => bad === id))).toEqual([]);
  });

  test("with everything wrong hears everything at once", () => {
    const all = [
      ["system", "system ubuntu 20.04"],
      ["architecture", "architecture i686"],
      ["root", "root no"],
      ["memory", "memory 100"],
      ["mounted", "mounted no"],
      ["peer", "peer no"],
    ].reduce(
      (text, [key, instead]) => text.replace(new RegExp(`^${key}.*$`, "m"), instead as string),
      also("port 443 apache2"),
    );
    expect(judge(all).map(({ id }) => id)).toEqual([
      "host.system",
      "host.architecture",
      "host.root",
      "host.memory",
      "host.ports",
      "host.peer",
      "host.mount",
    ]);
  });
});

test("a node that is ours already keeps its ports, disks and packages", () => {
  const text = also("ours prod", "port 443 haproxy", "port 5432 postgres", "installed docker-ce").replace(
    /^disk .*\n/gm,
    "",
  );
  expect(judge(text)).toEqual([]);
});

test("missing packages say nothing where there are no package lists yet", () => {
  expect(judge(also("no-package haproxy").replace("lists yes", "lists no"))).toEqual([]);
});

test("an answer that was cut off is no answer", () => {
  expect(parseFacts(good.replace("end\n", ""), 1000, 1001)).toBeUndefined();
});

test.each([
  ["host.key", "@@@\nWARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed."],
  [
    "host.key",
    "No ED25519 host key is known for 10.0.0.12 and you have requested strict checking.\nHost key verification failed.",
  ],
  ["host.login", "admin@10.0.0.12: Permission denied (publickey)."],
  ["host.name", "ssh: Could not resolve hostname node2.example.com: Name or service not known"],
  ["host.unreachable", "ssh: connect to host 10.0.0.12 port 22: Connection refused"],
  ["host.unreachable", ""],
])("ssh's own failure is told as %s: %j", (id, stderr) => {
  expect(judgeSilence("node2", stderr)).toMatchObject({
    id,
    node: "node2",
    sentence: expect.stringMatching(/^node2 /),
  });
});
