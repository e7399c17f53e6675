import type { RecordPlace } from "../../components/model/record.ts";
import type { Bucket } from "./object-store.ts";
import { ossHeaders } from "./oss-signature.ts";
import { RoleKeys } from "./role-keys.ts";

/**
 * A bucket of Alibaba Cloud's OSS, opened by the role of the ECS instance that asks.
 * @see https://www.alibabacloud.com/help/en/oss/developer-reference/putobject x-oss-forbid-overwrite, FileAlreadyExists
 */
export function ossBucket(place: Extract<RecordPlace, { kind: "oss" }>, keys = RoleKeys.of(place.role)): Bucket {
  const { address, region, bucket } = place;
  return {
    name: bucket,
    endpoint: address,
    createOnly: { "x-oss-forbid-overwrite": "true" },
    // Any other conflict, such as a creation of the same object that is under way, decides nothing.
    refusal: (status, code) => (status !== 409 ? undefined : code === "FileAlreadyExists" ? "exists" : "undecided"),
    async fetch(method, key, query, init) {
      const search = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
      const headers = ossHeaders(
        { method, bucket, key, query, headers: (init.headers ?? {}) as Record<string, string> },
        await keys.current(init.signal ?? undefined),
        region,
        new Date(),
      );
      return fetch(`${address}/${key}${search.length > 0 ? `?${search.join("&")}` : ""}`, {
        ...init,
        method,
        headers,
      });
    },
  };
}
