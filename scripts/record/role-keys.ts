import { z } from "zod";
import type { OssKeys } from "./oss-signature.ts";

const answer = z.object({
  Code: z.literal("Success"),
  AccessKeyId: z.string(),
  AccessKeySecret: z.string(),
  SecurityToken: z.string(),
  Expiration: z.coerce.date(),
});

/** Every ECS instance finds its metadata here. */
const metadata = "http://100.100.100.200";

/** Keys are used until this long before they end: a clock may differ, and a request takes its time. */
const reserveMs = 10 * 60_000;

/**
 * Keys of an instance's role, which the instance's metadata gives and renews: nothing that lives long lies on the node.
 * @see https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
 */
export class RoleKeys {
  private static readonly known = new Map<string, RoleKeys>();
  private readonly role: string;
  private readonly address: string;
  private keys?: OssKeys & { until: number };

  constructor(role: string, address = metadata) {
    this.role = role;
    this.address = address;
  }

  /** One per role and process, so that keys are asked for once an hour or so, not at every request. */
  static of(role: string): RoleKeys {
    const keys = RoleKeys.known.get(role) ?? new RoleKeys(role);
    RoleKeys.known.set(role, keys);
    return keys;
  }

  /** @throws if the metadata gives none. */
  async current(signal?: AbortSignal): Promise<OssKeys> {
    if (!this.keys || Date.now() > this.keys.until - reserveMs) {
      const fresh = await this.ask(signal).catch((error: Error) => {
        // Old ones are good until they end.
        if (this.keys && Date.now() < this.keys.until) return undefined;
        throw error;
      });
      this.keys = fresh ?? this.keys;
    }
    return this.keys as OssKeys;
  }

  private async ask(signal?: AbortSignal): Promise<OssKeys & { until: number }> {
    const wanted = `keys of the instance's role ${this.role}`;
    const get = async (path: string, init: RequestInit) => {
      const response = await fetch(`${this.address}/latest/${path}`, { ...init, signal });
      if (!response.ok) throw new Error(`the instance's metadata answered ${response.status} to ${wanted}`);
      return response.text();
    };
    const token = await get("api/token", {
      method: "PUT",
      headers: { "X-aliyun-ecs-metadata-token-ttl-seconds": "60" },
    });
    const text = await get(`meta-data/ram/security-credentials/${this.role}`, {
      headers: { "X-aliyun-ecs-metadata-token": token },
    });
    const { success, data } = answer.safeParse(parsed(text));
    if (!success) throw new Error(`the instance's metadata holds no ${wanted}`);
    return {
      accessKeyId: data.AccessKeyId,
      accessKeySecret: data.AccessKeySecret,
      securityToken: data.SecurityToken,
      until: data.Expiration.getTime(),
    };
  }
}

/** Nothing of what was read may end up in an error. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
