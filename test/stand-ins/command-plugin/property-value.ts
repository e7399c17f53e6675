/** Property values as the engine sends them: secrets and unknowns arrive as marked JSON. */

export type PropertyMap = Record<string, unknown>;

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";

/** What an unknown string looks like; a provider in preview says the same for what it cannot know yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const UNKNOWNS = new Set<unknown>([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

export function isObject(value: unknown): value is PropertyMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isSecret(value: unknown): value is { value: unknown } {
  return isObject(value) && value[SIGNATURE] === SECRET;
}

export function isUnknown(value: unknown): boolean {
  return UNKNOWNS.has(value);
}

export function isAssetOrArchive(value: unknown): value is PropertyMap {
  return isObject(value) && (value[SIGNATURE] === ASSET || value[SIGNATURE] === ARCHIVE);
}

export function secret(value: unknown): PropertyMap {
  return isSecret(value) ? value : { [SIGNATURE]: SECRET, value };
}

function children(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}

export function containsSecret(value: unknown): boolean {
  return isSecret(value) || children(value).some(containsSecret);
}

/** The value without its secret marks. */
export function plain(value: unknown): unknown {
  if (isSecret(value)) return plain(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** Every text somewhere below a value. */
export function texts(value: unknown): string[] {
  return typeof value === "string" ? [value] : children(plain(value)).flatMap(texts);
}

/** Every text somewhere below a secret mark. */
export function secretTexts(value: unknown): string[] {
  return isSecret(value) ? texts(value.value) : children(value).flatMap(secretTexts);
}

/** Null means absent, as for the engine. */
export function withoutNulls(map: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null && value !== undefined));
}

/** Marks count: a secret "x" does not equal a plain "x". Assets are compared by what they contain. */
export function equal(left: unknown, right: unknown): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => equal(item, right[index]));
  }
  if (!isObject(left) || !isObject(right)) return left === right;
  if (isAssetOrArchive(left) && isAssetOrArchive(right) && left.hash && right.hash) return left.hash === right.hash;
  const a = withoutNulls(left);
  const b = withoutNulls(right);
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && equal(a[key], b[key]));
}
