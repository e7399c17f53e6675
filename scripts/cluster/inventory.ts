import { readFileSync } from "node:fs";
import spawn from "nano-spawn";
import { z } from "zod";
import { type Inventory, inventory as schema } from "../../components/model/inventory.ts";
import { hostPaths } from "../../components/model/paths.ts";
import { projectDirectory } from "../paths.ts";
import { UserError } from "../user-error.ts";

/** How a command was told to find the pair. */
export interface InventoryOptions {
  /** A file; `-` is stdin. */
  inventory?: string;
  /** A node, as ssh takes it. */
  host?: string;
  /** An ssh_config for every connection. */
  sshConfig?: string;
}

/** The pair's inventory: from a file or stdin, from a node, else from the selected stack's outputs. */
export async function readInventory(options: InventoryOptions): Promise<Inventory> {
  if (options.inventory) {
    const value = readJson(options.inventory);
    return parse((value as { inventory?: unknown } | null)?.inventory ?? value, options.inventory);
  }
  if (options.host) {
    const { host, sshConfig } = options;
    const config = sshConfig ? ["-F", sshConfig] : [];
    const ask = spawn("ssh", [...config, "-o", "BatchMode=yes", host, `cat ${hostPaths.inventory}`]);
    const { stdout } = await ask.catch((error) => {
      throw new UserError(`${host}: cannot read ${hostPaths.inventory}: ${error.stderr?.trim() || error.message}`, 3);
    });
    return parse(JSON.parse(stdout), `${hostPaths.inventory} on ${host}`);
  }
  try {
    const { stdout } = await spawn("pulumi", ["stack", "output", "inventory", "--json", "--non-interactive"], {
      cwd: projectDirectory,
    });
    return parse(JSON.parse(stdout), "the stack's output `inventory`");
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = (error as { stderr?: string }).stderr?.trim() || String(error);
    throw new UserError(
      `cannot read the stack's inventory: ${reason}\nRun this in \`npm run shell\`, or give --host <user@node> or --inventory <file>.`,
    );
  }
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new UserError(`--inventory ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, 2);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new UserError(
      `--inventory ${file} holds no JSON: write it with \`pulumi stack output inventory --json > ${file}\``,
      2,
    );
  }
}

function parse(value: unknown, source: string): Inventory {
  const result = schema.safeParse(value);
  if (!result.success)
    throw new UserError(`${source} is no inventory of this version:\n${z.prettifyError(result.error)}`);
  return result.data;
}
