import { createHash, createHmac } from "node:crypto";

export interface OssKeys {
  accessKeyId: string;
  accessKeySecret: string;
  securityToken: string;
}

/** A request to OSS; key and names of headers hold nothing that needs encoding but what `encodeURIComponent` does. */
export interface OssRequest {
  method: string;
  bucket: string;
  key: string;
  query: Record<string, string>;
  headers: Record<string, string>;
}

/**
 * The headers of a request with its signature, version 4. The official SDK would bring sixty packages onto the nodes for this.
 * @see https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
export function ossHeaders(
  { method, bucket, key, query, headers }: OssRequest,
  { accessKeyId, accessKeySecret, securityToken }: OssKeys,
  region: string,
  now: Date,
): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, "");
  const day = time.slice(0, 8);
  const all: Record<string, string> = {
    ...lowerCased(headers),
    "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
    "x-oss-date": time,
    "x-oss-security-token": securityToken,
  };
  const signed = Object.keys(all)
    .filter((name) => name.startsWith("x-oss-") || name === "content-type" || name === "content-md5")
    .sort();
  const canonical = [
    method,
    encodeURIComponent(`/${bucket}/${key}`).replaceAll("%2F", "/"),
    Object.entries(query)
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
      .sort()
      .join("&"),
    ...signed.map((name) => `${name}:${all[name]?.trim()}`),
    // Further headers could be signed and would be named here.
    "",
    "",
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const scope = [day, region, "oss", "aliyun_v4_request"];
  const text = ["OSS4-HMAC-SHA256", time, scope.join("/"), createHash("sha256").update(canonical).digest("hex")];
  const sign = (key: string | Buffer, value: string) => createHmac("sha256", key).update(value).digest();
  const signingKey = scope.reduce<string | Buffer>(sign, `aliyun_v4${accessKeySecret}`);
  const signature = sign(signingKey, text.join("\n")).toString("hex");
  return {
    ...all,
    authorization: `OSS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join("/")},Signature=${signature}`,
  };
}

const lowerCased = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
