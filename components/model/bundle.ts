import { z } from "zod";

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

/**
 * Everything one service needs on one host, as readable text: `pulumi preview --diff` shows its changed lines.
 * Secrets appear as `@{label:tag}`.
 */
export const bundle = z.object({
  format: z.literal(1),
  service: z.string(),
  /** Debian packages; installed, never removed. */
  packages: z.array(z.string()),
  /** path → mode and owner; made when missing, never removed. */
  directories: z.record(z.string(), z.object({ mode: z.string(), owner: z.string().optional() })),
  /** path → file. A file that leaves the bundle is removed from the host. */
  files: z.record(z.string(), bundleFile),
  /** systemd units that apply enables and starts. A unit that leaves the bundle is stopped and disabled. */
  units: z.array(z.string()),
  /** systemd units that `roll` starts; apply enables nothing, but stops them when they leave the bundle. */
  managedUnits: z.array(z.string()),
});
export type Bundle = z.infer<typeof bundle>;

/** A bundle of a service with everything optional left out. */
export function makeBundle(service: string, parts: Partial<Omit<Bundle, "format" | "service">>): Bundle {
  return { format: 1, service, packages: [], directories: {}, files: {}, units: [], managedUnits: [], ...parts };
}
