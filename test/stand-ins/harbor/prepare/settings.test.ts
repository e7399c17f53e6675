import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { harborSettings, harborYml } from "./fixture.ts";
import { Refusal, readSettings } from "./settings.ts";

function refusal(change: (settings: ReturnType<typeof harborSettings>) => void) {
  const settings = harborSettings();
  change(settings);
  try {
    readSettings(JSON.stringify(settings));
  } catch (error) {
    if (error instanceof Refusal) return `${error.exitCode} ${error.message}`;
    throw error;
  }
  return "accepted";
}

const required = [
  "hostname",
  "data_volume",
  "harbor_admin_password",
  "external_database",
  "external_redis",
  "http.port",
  "https.private_key",
  "log.level",
  "log.local",
  "jobservice.max_job_workers",
  "jobservice.job_loggers",
  "jobservice.logger_sweeper_duration",
  "notification.webhook_job_max_retry",
  "notification.webhook_job_http_client_timeout",
  "external_database.harbor.host",
  "external_database.harbor.port",
  "external_database.harbor.db_name",
  "external_database.harbor.username",
  "external_database.harbor.password",
  "external_database.harbor.ssl_mode",
];

describe("harbor.yml", () => {
  test.each(required)("without %s ends like the traceback of the real prepare", (path) => {
    const message = refusal((settings) => {
      const keys = path.split(".");
      const parent = keys.slice(0, -1).reduce((value, key) => value[key], settings);
      delete parent[keys.at(-1) as string];
    });
    expect(message).toContain(`1 ${path} is missing`);
  });

  test.each<[string, (settings: ReturnType<typeof harborSettings>) => void]>([
    ["255 hostname", (settings) => Object.assign(settings, { hostname: "127.0.0.1" })],
    ["255 https.certificate", (settings) => Object.assign(settings.https, { certificate: "/your/certificate/path" })],
    ["255 upload_purging.age", (settings) => Object.assign(settings, { upload_purging: { age: "1h" } })],
    ["255 cache.expire_hours", (settings) => Object.assign(settings, { cache: { enabled: true } })],
    ["1 storage_service.redirect.disable", (s) => Object.assign(s, { storage_service: { redirect: { disabled: 1 } } })],
    ["1 log.level", (settings) => Object.assign(settings.log, { level: "loud" })],
  ])("is refused with %s", (start, change) => {
    expect(refusal(change)).toMatch(new RegExp(`^${start}`));
  });

  test("accepts what the real one accepts though it is wrong", () => {
    const settings = harborSettings();
    Object.assign(settings, { hostname: "localhost", unknown_key: 1 });
    Object.assign(settings.external_redis, { registry_db_index: 0 });
    expect(readSettings(JSON.stringify(settings)).redis.registryIndex).toBe(1);
  });

  test("falls back to the hostname where external_url is missing", () => {
    const settings = harborSettings();
    delete settings.external_url;
    expect(readSettings(JSON.stringify(settings)).externalUrl).toBe("https://harbor.example.com:8443");
    delete settings.https;
    settings.http.port = 80;
    expect(readSettings(JSON.stringify(settings)).externalUrl).toBe("http://harbor.example.com");
  });

  test("template of the installer is complete, and refused until it is filled in", () => {
    const folder = new URL("../installer/", import.meta.url);
    expect(readdirSync(folder).sort()).toEqual(["LICENSE", "common.sh", "harbor.yml.tmpl", "install.sh", "prepare"]);
    const template = readFileSync(new URL("harbor.yml.tmpl", folder), "utf8");
    expect(() => readSettings(template)).toThrow(/reg.mydomain.com/);
    const filled = template.replace("reg.mydomain.com", "harbor.example.com").replace("/your/certificate", "/etc");
    expect(readSettings(filled).database.maxIdle).toBe(2);
    expect(readSettings(harborYml).database.maxOpen).toBe(50);
  });
});
