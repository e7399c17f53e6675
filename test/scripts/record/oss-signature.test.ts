import { expect, test } from "vitest";
import { ossHeaders } from "../../../scripts/record/oss-signature.ts";

const keys = { accessKeyId: "STS.sample", accessKeySecret: "sample-secret", securityToken: "sample-token" };
const now = new Date("2026-11-22T06:07:08Z");

// Expected values were made with Alibaba's own SDK for Node.js, ali-oss 6.23.0.
test.each([
  [
    "PUT",
    "record/0000000007.json",
    {},
    { "Content-Type": "application/json", "x-oss-forbid-overwrite": "true" },
    "c448ca671110b2e35b59e5a1c05bb198835810b890469f3f029341169f43dbe0",
  ],
  [
    "GET",
    "",
    { "list-type": "2", prefix: "record/", "start-after": "record/0000000006.json" },
    {},
    "17c1fa6096bf64507bd705230770dc137cba969b575bf3fc3289a6001df93967",
  ],
  ["GET", "record/0000000007.json", {}, {}, "b15b138b1d77300eb7bfb25cb0c204fb3f2510a66e03341cfe7bc4ab3d888e17"],
])("%s %s is signed as Alibaba's SDK signs it", (method, key, query, headers, signature) => {
  const signed = ossHeaders(
    {
      method,
      bucket: "records",
      key,
      query: query as Record<string, string>,
      headers: headers as Record<string, string>,
    },
    keys,
    "cn-hangzhou",
    now,
  );
  expect(signed).toMatchObject({
    "x-oss-date": "20261122T060708Z",
    "x-oss-security-token": "sample-token",
    authorization: `OSS4-HMAC-SHA256 Credential=STS.sample/20261122/cn-hangzhou/oss/aliyun_v4_request,Signature=${signature}`,
  });
});
