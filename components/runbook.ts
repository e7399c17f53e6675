/** What to do on the day something happens; docs/runbook.md and the stack output `runbook` are made from this. */
export interface RunbookEntry {
  when: string;
  run: string[];
  expect: string;
  /** What to do where that does not come. */
  otherwise: string;
}

export const runbook: RunbookEntry[] = [
  {
    when: "Something is wrong, or you do not know",
    run: ["harbor-ha status"],
    expect: "`healthy`, or each finding with what to do; the last line says which node may write",
    otherwise: "exit code 3 means that a host could not be asked: what it is doing is not known",
  },
  {
    when: "The stack's state is out of reach (backend away, laptop lost)",
    run: ["harbor-ha status --host root@<node>"],
    expect: "the same: the inventory lies on both nodes, and every command takes `--host` and `--ssh-config`",
    otherwise: "give the file /etc/harbor-ha/inventory.json of a node with --inventory",
  },
  {
    when: "The primary's node is lost",
    run: ["harbor-ha failover"],
    expect: "the lost node is proven to be off, the other one becomes the primary; pushes work again",
    otherwise:
      "[failover.may-lose]: the other node lacks acknowledged writes; bring the lost one back, or accept the loss by the flag. [fence.…]: switch the lost node off yourself, make sure, and say so by the flag. [move.record-unreadable]: bring the shared storage back first",
  },
  {
    when: "The lost node is back; one that the fence switched off has to be switched on",
    run: ["harbor-ha rejoin"],
    expect: "its database is rewound (or copied anew) and follows; the pair is synchronous again",
    otherwise: "run it again; its former data is kept beside the new until the new one is synchronous",
  },
  {
    when: "The primary is to be the other node",
    run: ["harbor-ha switchover"],
    expect: "Harbor's statements wait about a second, no client fails",
    otherwise:
      "[switchover.not-paused] names the transaction that is in the way; nothing was moved: try again when it has ended. A primary that runs but does not get through (a sick disk): switch its node off, then harbor-ha failover",
  },
  {
    when: "A node needs work: updates, a new kernel, a new disk",
    run: ["harbor-ha maintenance <node>", "work on it; Ctrl-C when done, or a reboot"],
    expect: "its clients are at the other node, nothing that you stop there is started, nobody is told",
    otherwise: "[maintenance.primary]: harbor-ha switchover first. [maintenance.last]: the other node does not serve",
  },
  {
    when: "The standby's node is lost",
    run: ["nothing; `harbor-ha status` says that writes go on without it"],
    expect: "writes wait for some seconds, then go on; when it is back it catches up and is synchronous by itself",
    otherwise: "with postgres.durability `strict` writes wait until it is back",
  },
  {
    when: "A switchover or failover was interrupted",
    run: ["the same command again"],
    expect: "it goes on from where it was",
    otherwise:
      "to end it where it began: harbor-ha failover --to <the old primary>; possible as long as the other node is seen to be a standby",
  },
  {
    when: "Power was lost, on one node or both",
    run: ["switch them on"],
    expect: "everything starts by itself, the primary only where the record names it",
    otherwise: "a node that stays down says why in `harbor-ha status`, with the command that leads on",
  },
  {
    when: "The shared storage hangs or is gone",
    run: ["bring it back"],
    expect: "the primary serves on while its peer answers; images cannot be read meanwhile",
    otherwise: "if the record is lost for good: harbor-ha record adopt --i-lost-the-record, with both nodes up",
  },
  {
    when: "The record is to lie elsewhere (option record)",
    run: ["set the option", "harbor-ha record move", "pulumi up"],
    expect: "`up` refuses the new place until the record was moved there",
    otherwise: "harbor-ha record show says what each node has seen",
  },
  {
    when: "One node is dead for longer, or is being replaced",
    run: ["pulumi config set --path harbor-ha:nodes.<node>.absent true", "pulumi up"],
    expect: "settings reach the other node; nothing there that serves is restarted",
    otherwise: "without it `up` ends before the first write and says which host it cannot reach",
  },
  {
    when: "The pair is to go",
    run: ["harbor-ha uninstall", "pulumi destroy"],
    expect: "services, programs and secrets are gone; the database stays (--with-data deletes it), images always",
    otherwise: "after `destroy`: harbor-ha uninstall --host root@<node>",
  },
];

/** Never promises more than the tests have seen. */
export const guarantees = [
  "A node that the record does not name never becomes writable by itself; an acknowledged write is lost only by a flag named after the loss.",
  "Not guaranteed: sessions and queued jobs of the last second when the primary's node crashes (Redis); reads from a former primary that is cut off, for up to 20 seconds; anything when both nodes and the storage are lost, for backups are not built yet.",
  "Never promote PostgreSQL by hand: the agent stops a primary that the record does not name.",
];

/** The entries as text, for the stack's output. */
export const runbookText = (): string =>
  [
    "In `npm run shell`, or with `npx`:",
    ...runbook.map(({ when, run, expect, otherwise }) =>
      [`${when}:`, ...run.map((line) => `  ${line}`), `  → ${expect}`, `  if not: ${otherwise}`].join("\n"),
    ),
    ...guarantees,
  ].join("\n\n");
