import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { apply } from "../../../../components/apply/host/apply.ts";
import { type Bundle, bundle, makeBundle } from "../../../../components/model/bundle.ts";
import { TestHost } from "./machine.ts";

/** Called before every change of the file system; tests let it throw. Syncing to the disk is left out: it only takes time. */
const disk = vi.hoisted(() => ({ beforeChange: (_name: string) => {} }));
vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  const watched = ["mkdirSync", "chmodSync", "renameSync", "unlinkSync", "rmSync", "openSync"] as const;
  const wrap =
    (name: string, real: (...args: never[]) => unknown) =>
    (...args: never[]) => {
      disk.beforeChange(name);
      return real(...args);
    };
  return {
    ...fs,
    ...Object.fromEntries(watched.map((name) => [name, wrap(name, fs[name] as never)])),
    fsyncSync: () => {},
    // Who dies while writing leaves half of it.
    writeFileSync: (file: number | string, content: string, ...rest: never[]) => {
      try {
        disk.beforeChange("writeFileSync");
      } catch (error) {
        if (typeof file === "number") fs.writeFileSync(file, content.slice(0, content.length / 2));
        throw error;
      }
      fs.writeFileSync(file, content, ...rest);
    },
  };
});

let root = "";
beforeEach(() => {
  // In memory where there is such a place: these tests write many thousand files.
  root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "harbor-ha-apply-"));
});
afterEach(() => {
  disk.beforeChange = () => {};
  rmSync(root, { recursive: true, force: true });
});

const web = "web.service";
const base = "base.service";

/** A service with everything a bundle may hold: files of root and of a package's user, both ways of change, two kinds of units. */
const service = bundle.parse(
  makeBundle("shop", {
    packages: ["shop-server", "shop-client"],
    directories: { "/var/lib/shop": { mode: "0700", owner: "shop:shop" } },
    files: {
      "/etc/shop/web.conf": { mode: "0644", onChange: { reload: web }, content: "colour = red\n" },
      "/etc/shop/extra.conf": { mode: "0644", onChange: { reload: web }, content: "extra\n" },
      "/etc/shop/base.conf": {
        mode: "0640",
        owner: "shop:shop",
        onChange: { restart: base },
        content: "size = 1\npassword = @{postgres.harbor:1}\n",
      },
      "/etc/shop/password": { mode: "0600", content: "@{redis.password:1}" },
      "/etc/systemd/system/web.service": { mode: "0644", content: "[Service]\nExecStart=/bin/web\n" },
      "/etc/systemd/system/old.service": { mode: "0644", content: "[Service]\nExecStart=/bin/old\n" },
    },
    units: [web, "old.service"],
    managedUnits: [base],
  }),
);

/** The same after everything changed that can: contents, a file and a unit that went, new ones, a package, a directory's mode. */
const changedService = bundle.parse({
  ...service,
  packages: [...service.packages, "shop-extras"],
  directories: { "/var/lib/shop": { mode: "0750", owner: "shop:shop" }, "/srv/shop": { mode: "0755" } },
  files: {
    "/etc/shop/web.conf": { mode: "0644", onChange: { reload: web }, content: "colour = blue\n" },
    "/etc/shop/base.conf": {
      mode: "0640",
      owner: "shop:shop",
      onChange: { restart: base },
      content: "size = 2\npassword = @{postgres.harbor:2}\n",
    },
    "/etc/shop/password": { mode: "0600", content: "@{redis.password:2}" },
    "/etc/systemd/system/web.service": { mode: "0644", content: "[Service]\nExecStart=/bin/web --new\n" },
    "/etc/systemd/system/new.service": { mode: "0644", content: "[Service]\nExecStart=/bin/new\n" },
  },
  units: [web, "new.service"],
  managedUnits: [base],
} satisfies Bundle);

const secrets = {
  "postgres.harbor:1": "first-database-password",
  "postgres.harbor:2": "second-database-password",
  "redis.password:1": "first-redis-password",
  "redis.password:2": "second-redis-password",
};

function newHost(directory = root): TestHost {
  mkdirSync(join(directory, "etc/harbor-ha"), { recursive: true });
  writeFileSync(join(directory, "etc/harbor-ha/secrets.json"), JSON.stringify(secrets));
  return new TestHost(directory, service, changedService);
}

/** A host on which the service was applied and then, by `roll`, its managed unit started. */
function runningHost(directory = root): TestHost {
  const host = newHost(directory);
  apply(service, host);
  host.start(base);
  host.commands.length = 0;
  return host;
}

const read = (path: string) => readFileSync(join(root, path), "utf8");
const mode = (path: string) => (lstatSync(join(root, path)).mode & 0o777).toString(8);
const edit = (path: string, content: string): Bundle => ({
  ...service,
  files: { ...service.files, [path]: { ...(service.files[path] as Bundle["files"][string]), content } },
});

describe("the first apply", () => {
  test("writes every file with its secrets, mode and owner, and makes the directories", () => {
    const host = newHost();
    const { changed } = apply(service, host);
    expect(changed.sort()).toEqual(Object.keys(service.files).sort());
    expect(read("/etc/shop/base.conf")).toBe("size = 1\npassword = first-database-password\n");
    expect(read("/etc/shop/password")).toBe("first-redis-password");
    expect(
      ["/etc/shop/web.conf", "/etc/shop/base.conf", "/etc/shop/password", "/var/lib/shop"].map((path) => mode(path)),
    ).toEqual(["644", "640", "600", "700"]);
    expect(host.owners).toEqual({ "/etc/shop/base.conf": "shop:shop", "/var/lib/shop": "shop:shop" });
  });

  test("installs the packages after root's files, which may forbid their daemons to start", () => {
    const host = newHost();
    const policy = { mode: "0755", content: "#!/bin/sh\nexit 101\n" };
    apply({ ...service, files: { ...service.files, "/usr/sbin/policy-rc.d": policy } }, host);
    expect([...host.packages]).toEqual(["shop-server", "shop-client"]);
    expect(host.daemonsHeldBack).toEqual([true]);
  });

  test("holds packages once, and lets go of those that leave", () => {
    const host = newHost();
    apply({ ...service, held: ["shop-server", "shop-client"] }, host);
    apply({ ...service, held: ["shop-server", "shop-client"] }, host);
    expect(host.commands.filter((command) => command.startsWith("apt-mark hold"))).toEqual([
      "apt-mark hold shop-server shop-client",
    ]);
    apply({ ...service, held: ["shop-server"] }, host);
    expect([...host.held]).toEqual(["shop-server"]);
  });

  test("enables and starts the service's units, leaves those of roll alone, and asks for no restart", () => {
    const host = newHost();
    const { restartNeeded } = apply(service, host);
    expect(host.unit(web)).toMatchObject({ state: "active", enabled: true });
    expect(host.unit(base)).toMatchObject({ state: "inactive", enabled: false });
    expect(restartNeeded).toEqual([]);
    expect(host.forgotten()).toEqual([]);
  });
});

test("the same again changes nothing and starts nothing", () => {
  const host = runningHost();
  const before = host.state();
  const written = lstatSync(join(root, "etc/shop/web.conf")).mtimeMs;
  expect(apply(service, host)).toEqual({ changed: [], restartNeeded: [] });
  expect(host.acts()).toEqual([]);
  expect(host.state()).toEqual(before);
  expect(lstatSync(join(root, "etc/shop/web.conf")).mtimeMs).toBe(written);
});

describe("a changed file", () => {
  test("reloads the unit that runs with it, once", () => {
    const host = runningHost();
    expect(apply(edit("/etc/shop/web.conf", "colour = green\n"), host).changed).toEqual(["/etc/shop/web.conf"]);
    expect(host.acts()).toEqual([`systemctl reload-or-restart ${web}`]);
  });

  test("reloads nothing when the unit is down: it is started with the new file", () => {
    const host = runningHost();
    host.unit(web).state = "failed";
    apply(edit("/etc/shop/web.conf", "colour = green\n"), host);
    expect(host.acts()).toEqual([`systemctl start ${web}`]);
    expect(host.forgotten()).toEqual([]);
  });

  test.each(["active", "activating", "reloading"])(
    "leaves a restart mark for a unit that is %s, and does not restart it",
    (state) => {
      const host = runningHost();
      host.unit(base).state = state;
      expect(apply(edit("/etc/shop/base.conf", "size = 3\n"), host).restartNeeded).toEqual([base]);
      expect(host.acts()).toEqual([]);
      // The mark stays until roll takes it away.
      expect(apply(edit("/etc/shop/base.conf", "size = 3\n"), host)).toEqual({ changed: [], restartNeeded: [base] });
    },
  );

  test.each(["inactive", "failed"])("leaves no restart mark for a unit that is %s", (state) => {
    const host = runningHost();
    host.unit(base).state = state;
    expect(apply(edit("/etc/shop/base.conf", "size = 3\n"), host).restartNeeded).toEqual([]);
  });

  test("of systemd lets systemd read its files before anything is reloaded", () => {
    const host = runningHost();
    apply({ ...changedService, packages: [] }, host);
    const acts = host.acts().filter((act) => /daemon-reload|reload-or-restart|start/.test(act));
    expect(acts).toEqual([
      "systemctl daemon-reload",
      `systemctl reload-or-restart ${web}`,
      "systemctl start new.service",
    ]);
  });

  test("of the kernel's settings is loaded by sysctl; one that left the bundle is not looked for", () => {
    const path = "/etc/sysctl.d/60-shop.conf";
    const host = newHost();
    const kernel = makeBundle("kernel", {
      files: { [path]: { mode: "0644", onChange: { reload: `sysctl ${path}` }, content: "a = 1\n" } },
    });
    apply(kernel, host);
    expect(host.acts()).toEqual([`sysctl -q -p ${path}`]);
    host.commands.length = 0;
    apply(makeBundle("kernel", {}), host);
    expect(host.acts()).toEqual([]);
    expect(host.files("/var/lib/harbor-ha/pending")).toEqual([]);
  });

  test("that somebody edited on the host, or whose mode was changed, is put right", () => {
    const host = runningHost();
    writeFileSync(join(root, "etc/shop/web.conf"), "colour = mine\n");
    host.spoil("/etc/shop/password", 0o644);
    expect(apply(service, host).changed.sort()).toEqual(["/etc/shop/password", "/etc/shop/web.conf"]);
    expect(mode("/etc/shop/password")).toBe("600");
    expect(host.forgotten()).toEqual([]);
  });
});

describe("what leaves the bundle", () => {
  const without = (path: string): Bundle => {
    const { [path]: _, ...files } = service.files;
    return { ...service, files };
  };

  test("is removed, and who used it reloads; directories and packages stay", () => {
    const host = runningHost();
    expect(apply(without("/etc/shop/extra.conf"), host).changed).toEqual(["/etc/shop/extra.conf"]);
    expect(existsSync(join(root, "etc/shop/extra.conf"))).toBe(false);
    expect(host.acts()).toEqual([`systemctl reload-or-restart ${web}`]);
    apply(makeBundle("shop", {}), host);
    expect(existsSync(join(root, "var/lib/shop"))).toBe(true);
    expect(host.packages.size).toBe(2);
  });

  test("asks for a restart of the unit that only a restart changes", () => {
    const host = runningHost();
    expect(apply(without("/etc/shop/base.conf"), host).restartNeeded).toEqual([base]);
  });

  test("is stopped before its files go, a unit of roll too, and no mark of it stays", () => {
    const host = runningHost();
    apply(edit("/etc/shop/base.conf", "size = 3\n"), host);
    const result = apply(makeBundle("shop", {}), host);
    expect(host.unit("old.service")).toMatchObject({ state: "inactive", enabled: false });
    expect(host.unit(base)).toMatchObject({ state: "inactive", enabled: false });
    expect(result.restartNeeded).toEqual([]);
    expect(host.lines).toContain("stopping old.service: it left the configuration");
  });

  test("but does not stop is an error, and is not forgotten by the next run", () => {
    const host = runningHost();
    const stop = "systemctl disable --now old.service";
    host.overrides.set(stop, { status: 1, output: "Job failed" });
    const next = { ...service, units: [web] };
    for (const _ of ["first", "second"])
      expect(() => apply(next, host)).toThrow("old.service left the configuration, but");
    host.overrides.clear();
    apply(next, host);
    expect(host.unit("old.service").state).toBe("inactive");
  });

  test("and belongs to another service now stays where it is", () => {
    const host = runningHost();
    const moved = makeBundle("kiosk", {
      files: { "/etc/shop/extra.conf": service.files["/etc/shop/extra.conf"] as Bundle["files"][string] },
      units: ["old.service"],
    });
    apply(moved, host);
    apply({ ...without("/etc/shop/extra.conf"), units: [web] }, host);
    expect(read("/etc/shop/extra.conf")).toBe("extra\n");
    expect(host.unit("old.service").state).toBe("active");
  });
});

describe("packages", () => {
  test("that are there are not installed again", () => {
    const host = newHost();
    host.packages.add("shop-server");
    apply(service, host);
    const installs = host.commands.filter((command) => command.includes(" install "));
    expect(installs).toEqual([expect.stringMatching(/ install shop-client$/)]);
  });

  test("that cannot be installed: one refresh of the lists, then an error; daemons may start again", () => {
    const host = newHost();
    const install = /^apt-get .* install/;
    const commands: string[] = [];
    const run: TestHost["run"] = (program, args) => {
      const command = [program, ...args].join(" ");
      commands.push(command);
      return install.test(command) ? { status: 100, output: "E: no such package" } : host.run(program, args);
    };
    expect(() => apply(service, { root, run, log: host.log })).toThrow(
      /apt-get .* failed \(exit 100\):\nE: no such package/,
    );
    expect(commands.filter((command) => command.startsWith("apt-get")).map((command) => install.test(command))).toEqual(
      [true, false, true],
    );
  });
});

test("a secret that the host has not received is named before anything is written or run", () => {
  const host = newHost();
  const before = host.state();
  const bad = edit("/etc/shop/password", "@{redis.password:7}");
  expect(() => apply(bad, host)).toThrow(
    "/etc/shop/password needs the secret redis.password:7, which this host has not received: run `pulumi up` again",
  );
  expect(host.state()).toEqual(before);
  expect(host.commands).toEqual([]);
});

test("another service's bundle leaves this one's files, units and marks alone", () => {
  const host = runningHost();
  apply(edit("/etc/shop/base.conf", "size = 3\n"), host);
  const before = host.state();
  const other = makeBundle("kiosk", {
    files: { "/etc/kiosk.conf": { mode: "0644", onChange: { reload: "kiosk.service" }, content: "x\n" } },
    units: ["kiosk.service"],
  });
  apply(other, host);
  apply(makeBundle("kiosk", {}), host);
  const { tree, ...rest } = host.state();
  delete tree["/var/lib/harbor-ha/manifests/kiosk.json"];
  expect(tree).toEqual(before.tree);
  expect(rest.units).toMatchObject(before.units);
});

test("a manifest of an earlier version, without what happens on removal, is understood", () => {
  const host = runningHost();
  const file = join(root, "var/lib/harbor-ha/manifests/shop.json");
  const { files, units } = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ files, units }));
  apply(changedService, host);
  expect(existsSync(join(root, "etc/shop/extra.conf"))).toBe(false);
  expect(host.unit("old.service").state).toBe("inactive");
});

describe("killed between any two steps and run again", () => {
  class Killed extends Error {}

  /** Runs until step `last`, after which the process is dead: nothing it tries has an effect. @returns the number of steps. */
  function steps(host: TestHost, work: () => void, last = Number.POSITIVE_INFINITY): number {
    let count = 0;
    const step = () => {
      if (++count > last) throw new Killed();
    };
    host.beforeCommand = step;
    disk.beforeChange = step;
    try {
      work();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    } finally {
      host.beforeCommand = () => {};
      disk.beforeChange = () => {};
    }
    return count;
  }

  const scenarios: [string, (directory: string) => TestHost, Bundle][] = [
    ["the first apply", newHost, service],
    ["an apply that changes everything", runningHost, changedService],
    ["an apply that takes everything away", runningHost, makeBundle("shop", {})],
  ];

  test.each(scenarios)("%s ends as if it had not been disturbed", (_, prepare, next) => {
    const undisturbed = prepare(join(root, "undisturbed"));
    const total = steps(undisturbed, () => apply(next, undisturbed));
    expect(total).toBeGreaterThan(30);
    expect(undisturbed.forgotten()).toEqual([]);
    const goal = undisturbed.state();
    for (let last = 0; last < total; last++) {
      const directory = join(root, String(last));
      const host = prepare(directory);
      steps(host, () => apply(next, host), last);
      apply(next, host);
      expect(host.forgotten(), `killed after step ${last}`).toEqual([]);
      expect(host.state(), `killed after step ${last}`).toEqual(goal);
      rmSync(directory, { recursive: true });
    }
  });

  test("and at no step can anybody read what a file keeps from them", () => {
    const host = newHost();
    const seen: string[] = [];
    const step = () => {
      for (const path of host.files())
        if (
          read(path).includes("password") &&
          lstatSync(join(root, path)).mode & 0o007 &&
          !path.endsWith("secrets.json")
        )
          seen.push(path);
    };
    host.beforeCommand = step;
    disk.beforeChange = step;
    apply(service, host);
    expect(seen).toEqual([]);
  });
});
