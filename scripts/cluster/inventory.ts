import { readFileSync } from "node:fs";
import spawn from "nano-spawn";
import { z } from "zod";
import { type Inventory, inventory as schema } from "../../components/model/inventory.ts";
import { projectDirectory } from "../paths.ts";
import { UserError } from "../user-error.ts";

/** How a command was told to find the pair. */
export interface InventoryOptions {
  /** A file; `-` is stdin. */
  inventory?: string;
}

/** The pair's inventory: from a file or stdin, else from the selected stack's outputs. */
export async function readInventory(options: InventoryOptions): Promise<Inventory> {
  if (options.inventory) {
    const text = readFileSync(options.inventory === "-" ? 0 : options.inventory, "utf8");
    const value = JSON.parse(text);
    return parse(value.inventory ?? value, options.inventory);
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
      `cannot read the stack's inventory: ${reason}\nRun this in \`npm run shell\`, or give --inventory <file> (it lies on both nodes as /etc/harbor-ha/inventory.json).`,
    );
  }
}

function parse(value: unknown, source: string): Inventory {
  const result = schema.safeParse(value);
  if (!result.success)
    throw new UserError(`${source} is no inventory of this version:\n${z.prettifyError(result.error)}`);
  return result.data;
}
