import { randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { movedAway, movedMark, type RecordStore } from "./store.ts";

const fileOf = (number: number) => `${String(number).padStart(10, "0")}.json`;

/**
 * The record as files of a shared directory, created by `link()`, which is exclusive on every file system, NFS included.
 * The directory is made with the first entry; its parent must be there, or the share is not.
 */
export class DirectoryStore implements RecordStore {
  private readonly directory: string;
  constructor(directory: string) {
    this.directory = directory;
  }

  async numbers(after: number): Promise<number[]> {
    await stat(dirname(this.directory));
    const names = await readdir(this.directory).catch(noneIfAbsent);
    if (names.includes(movedMark)) throw new Error(movedAway);
    return names
      .filter((name) => /^\d{10}\.json$/.test(name))
      .map((name) => Number.parseInt(name, 10))
      .filter((number) => number > after);
  }

  read(number: number): Promise<string> {
    return readFile(join(this.directory, fileOf(number)), "utf8");
  }

  async seal(moved: boolean): Promise<void> {
    await mkdir(this.directory, { mode: 0o700 }).catch(fineIfThere);
    const mark = join(this.directory, movedMark);
    if (moved) await (await open(mark, "w", 0o600)).close();
    else await rm(mark, { force: true });
    await syncDirectory(this.directory);
  }

  async create(number: number, text: string): Promise<"created" | "exists"> {
    const temporary = join(this.directory, `.${randomUUID()}`);
    const target = join(this.directory, fileOf(number));
    await mkdir(this.directory, { mode: 0o700 }).catch(fineIfThere);
    try {
      const file = await open(temporary, "wx", 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await link(temporary, target);
      await syncDirectory(this.directory);
      return "created";
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      return "exists";
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

function noneIfAbsent(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}

function fineIfThere(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
