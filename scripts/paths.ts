import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** The checkout this program runs from. */
export const projectDirectory = dirname(import.meta.dirname);

/** Built tools and images that any stack may use again: `$HARBOR_HA_CACHE_DIR`, else `/var/cache/harbor-ha` for root, else `~/.cache/harbor-ha`. */
export function cacheDirectory(): string {
  if (process.env.HARBOR_HA_CACHE_DIR) return process.env.HARBOR_HA_CACHE_DIR;
  if (process.getuid?.() === 0) return "/var/cache/harbor-ha";
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "harbor-ha");
}

/**
 * Where a stack's local Pulumi state and passphrase lie (0700): `$HARBOR_HA_STATE_DIR`, else `/var/lib/harbor-ha`
 * for root, else `~/.local/state/harbor-ha`; then the stack's name. Losing it loses the stack's secrets.
 */
export function stackDirectory(stack: string): string {
  const base =
    process.env.HARBOR_HA_STATE_DIR ??
    (process.getuid?.() === 0
      ? "/var/lib/harbor-ha"
      : join(process.env.XDG_STATE_HOME ?? join(homedir(), ".local", "state"), "harbor-ha"));
  return join(base, stack);
}
