import { placeholderPattern } from "../../model/secrets.ts";

/** Puts secret values in place of `@{label:tag}`; a value that the host does not hold is named, with the remedy. */
export function substitute(content: string, secrets: Record<string, string>, path: string): string {
  return content.replace(placeholderPattern, (_, key: string) => {
    const value = secrets[key];
    if (value === undefined)
      throw new Error(`${path} needs the secret ${key}, which this host has not received: run \`pulumi up\` again`);
    return value;
  });
}
