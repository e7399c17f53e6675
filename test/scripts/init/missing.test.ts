import { describe, expect, test } from "vitest";
import { effectiveHostname, missingSettings, type StackConfig } from "../../../scripts/init/missing.ts";

const installer = { file: "/tmp/harbor.tgz", sha256: "a".repeat(64) };
const settings = { hostname: "registry.example.com", subnet: "10.231.77.0/24", installer };

/** What `pulumi config --json` prints for an object without a secret in it. */
const object = (value: object) => ({ value: JSON.stringify(value), objectValue: value, secret: false });
const everything: [string, string][] = [
  ["hostname", "registry.example.com"],
  ["lab.subnet", "10.231.77.0/24"],
  ["harbor.installer.file", installer.file],
  ["harbor.installer.sha256", installer.sha256],
];

/** The stack's configuration after the first settings were set. */
function configAfter(count: number): StackConfig {
  const set = Object.fromEntries(everything.slice(0, count));
  const parts = {
    file: set["harbor.installer.file"],
    sha256: set["harbor.installer.sha256"],
  };
  return {
    ...(set.hostname ? { "harbor-ha:hostname": { value: set.hostname } } : {}),
    ...(set["lab.subnet"] ? { "harbor-ha:lab": object({ subnet: set["lab.subnet"] }) } : {}),
    ...(parts.file ? { "harbor-ha:harbor": object({ installer: JSON.parse(JSON.stringify(parts)) }) } : {}),
  };
}

describe("init", () => {
  test.each([0, 1, 2, 3, 4])("killed after %i of its settings sets the others when it is run again", (count) => {
    expect(missingSettings(configAfter(count), settings)).toEqual(everything.slice(count));
  });

  test("of a pair in Alibaba Cloud completes what a killed run has set, and leaves the rest alone", () => {
    const aliyun: [string, string][] = [
      ["aliyun.region", "cn-hangzhou"],
      ["aliyun.zones[0]", "cn-hangzhou-k"],
      ["aliyun.zones[1]", "cn-hangzhou-j"],
      ["aliyun.bucketSuffix", "k7m2pd"],
    ];
    const cloud = { hostname: settings.hostname, aliyun };
    expect(missingSettings({}, cloud)).toEqual([["hostname", settings.hostname], ["target", "aliyun"], ...aliyun]);
    const half = {
      "harbor-ha:hostname": { value: settings.hostname },
      "harbor-ha:target": { value: "aliyun" },
      "harbor-ha:aliyun": object({ region: "cn-beijing", zones: ["cn-beijing-a"] }),
    };
    expect(missingSettings(half, cloud)).toEqual(aliyun.slice(2));
  });

  test("leaves alone what the user set", () => {
    const config = {
      "harbor-ha:hostname": { value: "mine.example.com" },
      "harbor-ha:lab": object({ subnet: "10.9.9.0/24" }),
      "harbor-ha:harbor": object({ installer: { url: "https://example.com/harbor.tgz", sha256: "b".repeat(64) } }),
    };
    expect(missingSettings(config, settings)).toEqual([]);
  });

  test("sets the installer also when other options of harbor are set already", () => {
    const config = { ...configAfter(2), "harbor-ha:harbor": object({ logLevel: "debug" }) };
    expect(missingSettings(config, settings)).toEqual(everything.slice(2));
  });

  test("leaves an option alone that Pulumi does not show, because there is a secret in it", () => {
    expect(missingSettings({ ...configAfter(2), "harbor-ha:harbor": {} }, settings)).toEqual([]);
  });

  test("makes the certificate for the host name that the stack has", () => {
    expect(effectiveHostname({ "harbor-ha:hostname": { value: "mine.example.com" } }, settings)).toBe(
      "mine.example.com",
    );
    expect(effectiveHostname({}, settings)).toBe("registry.example.com");
  });
});
