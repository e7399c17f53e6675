/** What changed between two sets of inputs, and whether that needs a replacement. */
import { equal, isAssetOrArchive, isObject, isSecret, type PropertyMap, withoutNulls } from "./property-value.ts";

export type Change = "add" | "delete" | "update";

export interface Difference {
  /** Changes by property path, such as `environment.PATH` or `triggers[0]`. */
  changes: Record<string, Change>;
  /** The paths among them that need a new resource. */
  replaces: string[];
}

export function diff(olds: PropertyMap, news: PropertyMap): Difference {
  const changes: Record<string, Change> = {};
  compare(relevant(olds), relevant(news), "", changes);
  return { changes, replaces: Object.keys(changes).filter((path) => /^triggers(\[|$)/.test(path)) };
}

/** The engine adds properties of its own. */
function relevant(inputs: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => name !== "version" && !name.startsWith("__")));
}

function compare(left: unknown, right: unknown, path: string, changes: Record<string, Change>): void {
  if (equal(left, right)) return;
  if (left === undefined || left === null) changes[path] = "add";
  else if (right === undefined || right === null) changes[path] = "delete";
  else if (Array.isArray(left) && Array.isArray(right)) {
    for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
      compare(left[index], right[index], `${path}[${index}]`, changes);
    }
  } else if (isMap(left) && isMap(right)) {
    const a = withoutNulls(left);
    const b = withoutNulls(right);
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      compare(a[key], b[key], join(path, key), changes);
    }
  } else changes[path] = "update";
}

/** A marked value is one value, not a map. */
function isMap(value: unknown): value is PropertyMap {
  return isObject(value) && !isSecret(value) && !isAssetOrArchive(value);
}

function join(path: string, key: string): string {
  if (!/^\w+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}
