import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { withLock } from "../../../scripts/lab/lock.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(`${tmpdir()}/harbor-ha-lock-`);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

// flock(1) and setpriv(1) are Linux's; so is the lab.
describe.skipIf(process.platform !== "linux")("a lock", () => {
  test("lets one in after the other, and says once that it waits", async () => {
    const events: string[] = [];
    const log = (line: string) => events.push(line);
    const work = (name: string) => async () => {
      events.push(`${name} in`);
      await new Promise((done) => setTimeout(done, 100));
      events.push(`${name} out`);
    };
    let second: Promise<void> | undefined;
    await withLock(`${directory}/lock`, "exclusive", "a thing", log, async () => {
      second = withLock(`${directory}/lock`, "exclusive", "a thing", log, work("second"));
      await vi.waitFor(() => expect(events.join()).toContain("waiting"));
      await work("first")();
    });
    await second;
    const waiting = "Another command is working on a thing; waiting for it to end";
    expect(events).toEqual([waiting, "first in", "first out", "second in", "second out"]);
  });

  test("ends with its holder, even one that was killed", async () => {
    const lockModule = new URL("../../../scripts/lab/lock.ts", import.meta.url);
    const program = `import { withLock } from ${JSON.stringify(lockModule.href)};
      await withLock(${JSON.stringify(`${directory}/lock`)}, "exclusive", "", console.log, async () => {
        console.log("held");
        await new Promise((done) => setTimeout(done, 60_000));
      });`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", program]);
    await new Promise<void>((held) => holder.stdout.on("data", (data) => String(data).includes("held") && held()));
    holder.kill("SIGKILL");
    expect(
      await withLock(
        `${directory}/lock`,
        "exclusive",
        "",
        () => undefined,
        async () => "mine",
      ),
    ).toBe("mine");
  });
});
