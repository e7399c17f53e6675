import { UserError } from "../user-error.ts";

/**
 * The Harbor installer for the lab: `$HARBOR_HA_INSTALLER` (a file; sha256 in `$HARBOR_HA_INSTALLER_SHA256`), else the stand-in
 * of this repository, which needs no image from outside.
 */
export async function findInstaller(log: (line: string) => void): Promise<{ file: string; sha256: string }> {
  const { HARBOR_HA_INSTALLER: file, HARBOR_HA_INSTALLER_SHA256: sha256 } = process.env;
  if (file) {
    if (!sha256)
      throw new UserError("HARBOR_HA_INSTALLER needs HARBOR_HA_INSTALLER_SHA256 beside it (what `sha256sum` prints)");
    return { file, sha256 };
  }
  const { buildInstaller } = await import("../../test/stand-ins/harbor/build.ts");
  return buildInstaller(log);
}
