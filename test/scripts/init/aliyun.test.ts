import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CloudFault } from "../../../scripts/aliyun/cloud-api.ts";
import { aliyunSettings, isAnswered } from "../../../scripts/init/aliyun.ts";

const account = {
  zones: ["cn-hangzhou-k", "cn-hangzhou-j"] as [string, string],
  image: "debian_12_11_x64_20G_alibase_20260801.vhd",
  instanceType: "ecs.e-c1m2.large",
};

function keyFile(text = "ssh-rsa AAAAsample me@desk\n"): string {
  const directory = mkdtempSync(join(tmpdir(), "harbor-ha-init-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "id.pub");
  writeFileSync(file, text);
  return file;
}
const wishes = () => ({ region: "cn-hangzhou", administrators: ["203.0.113.7/32"], publicKeyFile: keyFile() });
const settings = (changes: object = {}, stack = "prod", ask = async () => account) =>
  aliyunSettings(stack, { ...wishes(), ...changes }, () => {}, ask);

test("what the account and its user know becomes settings, each by its path", async () => {
  expect(await settings()).toEqual([
    ["aliyun.region", "cn-hangzhou"],
    ["aliyun.zones[0]", "cn-hangzhou-k"],
    ["aliyun.zones[1]", "cn-hangzhou-j"],
    ["aliyun.image", account.image],
    ["aliyun.instanceType", account.instanceType],
    ["aliyun.administrators[0]", "203.0.113.7/32"],
    ["aliyun.clients[0]", "203.0.113.7/32"],
    ["aliyun.publicKey", "ssh-rsa AAAAsample me@desk"],
    ["aliyun.bucketSuffix", expect.stringMatching(/^[a-z0-9]{6}$/)],
  ]);
});

test.each([
  [
    "a network without prefix",
    { administrators: ["203.0.113.7"] },
    "prod",
    /harbor-ha:aliyun\.administrators.*a\.b\.c\.d\/n/,
  ],
  [
    "a private key",
    { publicKeyFile: keyFile.bind(null, "-----BEGIN OPENSSH PRIVATE KEY-----\n") },
    "prod",
    /public key/,
  ],
  [
    "a kind of key that ECS does not document",
    { publicKeyFile: keyFile.bind(null, "ssh-ed25519 AAAA me\n") },
    "prod",
    /RSA or ECDSA/,
  ],
  ["no key file", { publicKeyFile: "/nowhere.pub" }, "prod", /\/nowhere\.pub cannot be read: .*--public-key/],
  ["a stack name for no cloud", {}, "Prod_1", /lower-case letters/],
  ["a stack name that makes no host name", {}, "a--b", /single -/],
] as [string, Record<string, unknown>, string, RegExp][])("%s is refused", async (_, changes, stack, words) => {
  const given = Object.fromEntries(
    Object.entries(changes).map(([name, value]) => [name, typeof value === "function" ? value() : value]),
  );
  await expect(settings(given, stack)).rejects.toThrow(words);
});

test.each([
  ["no file", undefined, false],
  ["a file that a killed run left half written", "config:\n  harbor-ha:aliyun:\n    region: cn-hangzhou\n", false],
  ["a file with all answers", "config:\n  harbor-ha:aliyun:\n    bucketSuffix: k7m2pd\n", true],
])("with %s the account is asked, or not", (_, text, answered) => {
  const directory = mkdtempSync(join(tmpdir(), "harbor-ha-init-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  if (text) writeFileSync(join(directory, "Pulumi.prod.yaml"), text);
  expect(isAnswered("prod", directory)).toBe(answered);
});

test("what the account says no with is told with its remedy", async () => {
  const ask = () => Promise.reject(new CloudFault("account.no-zones", "no two zones", "choose another region"));
  await expect(settings({}, "prod", ask)).rejects.toThrow("no two zones → choose another region [account.no-zones]");
});
