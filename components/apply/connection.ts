import type { types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { SshAccess } from "../model/node.ts";

export type Connection = pulumi.Output<types.input.remote.ConnectionArgs>;

/**
 * How a command reaches a host, as one secret. `privateKey`: text of the key, if the stack owns one; else the SSH agent is used.
 * `tries`: 20 are a minute, for a host that restarts its sshd; a new machine needs more.
 */
export function connectionTo(access: pulumi.Input<SshAccess>, privateKey: string | undefined, tries = 20): Connection {
  return pulumi.secret(
    pulumi.output(access).apply(({ jump, identityFile: _, ...login }) => ({
      ...login,
      privateKey,
      dialErrorLimit: tries,
      ...(jump ? { proxy: { ...jump, privateKey, dialErrorLimit: 20 } } : {}),
    })),
  );
}
