import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "../../../../components/apply/host/apply.ts";
import type { Bundle } from "../../../../components/model/bundle.ts";

/** What a process has read: path → content, or nothing where there was no file. */
type Loaded = Record<string, string | undefined>;

/**
 * A Debian host below a directory: real files, and a model of systemd, dpkg and the user database that remembers what each
 * running unit has read. Every command is recorded.
 */
export class TestHost implements Machine {
  readonly root: string;
  readonly commands: string[] = [];
  readonly lines: string[] = [];
  readonly packages = new Set<string>();
  readonly held = new Set<string>();
  /** Whether a policy-rc.d forbade daemons to start, at each installation. */
  readonly daemonsHeldBack: boolean[] = [];
  readonly owners: Record<string, string> = {};
  private readonly units = new Map<string, { state: string; enabled: boolean; loaded: Loaded }>();
  private unitFiles: Loaded = {};
  /** Files each unit reads, by class. */
  private readonly reads = new Map<string, { reload: Set<string>; restart: Set<string> }>();
  /** Answers in place of the model's: by command line. */
  readonly overrides = new Map<string, { status: number; output: string }>();
  /** Called before every command; tests let it throw. */
  beforeCommand: (command: string) => void = () => undefined;

  constructor(root: string, ...bundles: Bundle[]) {
    this.root = root;
    for (const bundle of bundles)
      for (const [path, { onChange }] of Object.entries(bundle.files)) {
        if (!onChange) continue;
        const unit = "reload" in onChange ? onChange.reload : onChange.restart;
        const reads = this.reads.get(unit) ?? { reload: new Set(), restart: new Set() };
        ("reload" in onChange ? reads.reload : reads.restart).add(path);
        this.reads.set(unit, reads);
      }
  }

  log = (line: string) => {
    this.lines.push(line);
  };

  run = (program: string, args: string[]): { status: number; output: string } => {
    const command = [program, ...args].join(" ").replaceAll(this.root, "");
    this.beforeCommand(command);
    this.commands.push(command);
    const override = this.overrides.get(command);
    if (override) return override;
    const status = this.answer(program, args);
    return typeof status === "number" ? { status, output: "" } : { status: 0, output: status };
  };

  private answer(program: string, args: string[]): number | string {
    const [verb = "", ...rest] = args;
    const name = rest.at(-1) ?? verb;
    switch (program) {
      case "systemctl":
        return this.systemctl(verb, name, rest.includes("--now"));
      case "dpkg-query":
        return this.packages.has(name) ? "installed" : 1;
      case "apt-get":
        if (verb === "-q" && args.includes("install")) {
          this.daemonsHeldBack.push(existsSync(join(this.root, "usr/sbin/policy-rc.d")));
          for (const word of args.slice(args.indexOf("install") + 1)) this.packages.add(word);
        }
        return 0;
      case "apt-mark":
        if (verb === "showhold") return [...this.held].join("\n");
        for (const word of rest) this.held[verb === "hold" ? "add" : "delete"](word);
        return 0;
      case "getent":
        return `${name}:x:${100 + name.length}:`;
      case "chown":
        this.owners[name.replace(this.root, "").replace(/\.new$/, "")] = verb;
        return 0;
      case "dpkg":
      case "sysctl":
        return 0;
      default:
        throw new Error(`the host has no ${program}`);
    }
  }

  private systemctl(verb: string, name: string, now: boolean): number | string {
    const unit = this.unit(name);
    switch (verb) {
      case "is-active":
        return `${unit.state}\n`;
      case "is-enabled":
        return unit.enabled ? 0 : 1;
      case "enable":
        unit.enabled = true;
        return 0;
      case "start":
        if (unit.state !== "active") this.start(name);
        return 0;
      case "reload-or-restart":
        for (const path of this.reads.get(name)?.reload ?? []) unit.loaded[path] = this.read(path);
        return 0;
      case "disable":
        this.units.set(name, { state: now ? "inactive" : unit.state, enabled: false, loaded: {} });
        return 0;
      case "daemon-reload":
        this.unitFiles = this.unitFilesNow();
        return 0;
      default:
        throw new Error(`systemctl has no ${verb} here`);
    }
  }

  unit(name: string) {
    const known = this.units.get(name) ?? { state: "inactive", enabled: false, loaded: {} };
    this.units.set(name, known);
    return known;
  }

  /** As `roll` or a person does. */
  start(name: string, state = "active") {
    const { reload = new Set<string>(), restart = new Set<string>() } = this.reads.get(name) ?? {};
    const loaded = Object.fromEntries([...reload, ...restart].map((path) => [path, this.read(path)]));
    Object.assign(this.unit(name), { state, loaded });
  }

  private read(path: string): string | undefined {
    return existsSync(join(this.root, path)) ? readFileSync(join(this.root, path), "utf8") : undefined;
  }

  private unitFilesNow(): Loaded {
    return Object.fromEntries(this.files("/etc/systemd/system").map((path) => [path, this.read(path)]));
  }

  files(below = "/"): string[] {
    if (!existsSync(join(this.root, below))) return [];
    return readdirSync(join(this.root, below), { recursive: true, encoding: "utf8" })
      .map((name) => join(below, name))
      .filter((path) => lstatSync(join(this.root, path)).isFile())
      .sort();
  }

  /** Everything a person could tell two hosts apart by. */
  state() {
    const tree = ["/", ...readdirSync(this.root, { recursive: true, encoding: "utf8" }).map((name) => `/${name}`)];
    return {
      tree: Object.fromEntries(
        tree.sort().map((path) => {
          const status = lstatSync(join(this.root, path));
          return [path, `${(status.mode & 0o7777).toString(8)} ${status.isFile() ? this.read(path) : ""}`];
        }),
      ),
      owners: this.owners,
      packages: [...this.packages].sort(),
      units: Object.fromEntries([...this.units].map(([name, { state, enabled }]) => [name, { state, enabled }])),
    };
  }

  /** Changes that reached the disk and nobody else: a unit runs without them, and nothing says that it has to be restarted. */
  forgotten(): string[] {
    const marked = new Set(this.files("/var/lib/harbor-ha/restart-needed").map((path) => path.split("/").at(-1)));
    const found: string[] = [];
    for (const [name, { state, loaded }] of this.units) {
      if (state !== "active") continue;
      const { reload = new Set<string>(), restart = new Set<string>() } = this.reads.get(name) ?? {};
      for (const path of reload) if (loaded[path] !== this.read(path)) found.push(`${name} has not reloaded ${path}`);
      for (const path of restart)
        if (loaded[path] !== this.read(path) && !marked.has(encodeURIComponent(name)))
          found.push(`${name} has not read ${path}, and is not marked`);
    }
    if (JSON.stringify(this.unitFiles) !== JSON.stringify(this.unitFilesNow()))
      found.push("systemd has old unit files");
    return found;
  }

  /** Commands that change something. */
  acts(): string[] {
    return this.commands.filter((command) => !/^(systemctl is-|dpkg-query|getent|chown)/.test(command));
  }

  spoil(path: string, mode: number) {
    chmodSync(join(this.root, path), mode);
  }
}
