import { z } from "zod";
import { isPublic, placeholderPattern } from "./secrets.ts";

const onChange = z
  .union([
    z.object({ reload: z.string() }),
    /** Applied by `roll`, in safe order; until then the host carries a restart-needed mark. */
    z.object({ restart: z.string() }),
  ])
  .optional();

/** What happens when a file changes: reload a running unit, leave a mark for `roll`, or nothing. */
export type OnChange = z.infer<typeof onChange>;

export const bundleFile = z.object({
  mode: z.string().regex(/^0[0-7]{3}$/),
  owner: z.string().optional(),
  onChange,
  content: z.string(),
});
export type BundleFile = z.infer<typeof bundleFile>;

const absolutePath = z
  .string()
  .regex(/^(\/[^/\0]+)+$/, "must be an absolute path")
  .refine((path) => !/\/\.\.?(\/|$)/.test(path));

/**
 * Everything one service needs on one host, as readable text: `pulumi preview --diff` shows its changed lines.
 * Secrets appear as `@{label:tag}`.
 */
export const bundle = z.object({
  format: z.literal(1),
  service: z.string().regex(/^[a-z][a-z-]*$/),
  /** Debian packages; installed, never removed. */
  packages: z.array(z.string()),
  /** Packages that no upgrade may replace under a running service; released when they leave the bundle. */
  held: z.array(z.string()).default([]),
  /** path → mode and owner; made when missing, never removed. */
  directories: z.record(absolutePath, z.object({ mode: z.string(), owner: z.string().optional() })),
  /** path → file. A file that leaves the bundle is removed from the host. */
  files: z.record(absolutePath, bundleFile).superRefine((files, context) => {
    for (const [path, { mode, content }] of Object.entries(files))
      if (Number.parseInt(mode, 8) & 0o007)
        for (const [, key = ""] of content.matchAll(placeholderPattern))
          if (!isPublic(key))
            context.addIssue({
              code: "custom",
              path: [path],
              message: `holds ${key}, but everybody may read it (${mode})`,
            });
  }),
  /** systemd units that apply enables and starts. A unit that leaves the bundle is stopped and disabled. */
  units: z.array(z.string()),
  /** systemd units that `roll` starts; apply enables nothing, but stops them when they leave the bundle. */
  managedUnits: z.array(z.string()),
});
export type Bundle = z.infer<typeof bundle>;

/** A bundle of a service with everything optional left out. */
export function makeBundle(service: string, parts: Partial<Omit<Bundle, "format" | "service">>): Bundle {
  return {
    format: 1,
    service,
    packages: [],
    held: [],
    directories: {},
    files: {},
    units: [],
    managedUnits: [],
    ...parts,
  };
}
