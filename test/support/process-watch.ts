import { readdirSync, readFileSync } from "node:fs";

/** Where a secret would show: one process' argument list or environment. */
interface Sighting {
  kind: "cmdline" | "environ";
  process: string;
  text: string;
}

/**
 * Collects arguments and environments of all processes of this machine, the lab's hosts included, many times a second.
 * Left out: environments that only root and the process' own user may read by design – the Pulumi program's and those of
 * Harbor's containers.
 */
export class ProcessWatch {
  private readonly seen = new Map<string, Sighting>();
  private readonly timer: NodeJS.Timeout;
  samples = 0;

  constructor() {
    this.timer = setInterval(() => this.sample(), 40);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Processes that showed one of the values. */
  findings(values: string[]): string[] {
    return [...this.seen.values()]
      .filter(({ text }) => values.some((value) => text.includes(value)))
      .map(({ kind, process }) => `${kind} of ${process}`);
  }

  private sample() {
    this.samples++;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const cmdline = read(`/proc/${pid}/cmdline`);
      if (cmdline === "") continue;
      const process = cmdline.replaceAll("\0", " ").slice(0, 120);
      this.add({ kind: "cmdline", process, text: cmdline });
      const environ = read(`/proc/${pid}/environ`);
      const byDesign = environ.includes("PULUMI_CONFIG=") || read(`/proc/${pid}/cgroup`).includes("docker");
      if (!byDesign) this.add({ kind: "environ", process, text: environ });
    }
  }

  private add(sighting: Sighting) {
    this.seen.set(`${sighting.kind}${sighting.text}`, sighting);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
