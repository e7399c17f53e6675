import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { composeFile } from "./compose.ts";
import { harborSettings, harborYml, secrets } from "./fixture.ts";
import * as render from "./render.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings(harborYml);

describe("env files", () => {
  test("core gets the database, the Redis, the endpoint and all secrets", () => {
    const lines = render.coreEnv(settings, secrets).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "EXT_ENDPOINT=https://harbor.example.com",
        "POSTGRESQL_HOST=172.30.0.1",
        "POSTGRESQL_PORT=6432",
        "POSTGRESQL_MAX_OPEN_CONNS=50",
        "POSTGRESQL_CONN_MAX_LIFETIME=1m",
        "_REDIS_URL_CORE=redis://:RedisPassword1@172.30.0.1:6380/0?idle_timeout_seconds=30",
        "_REDIS_URL_REG=redis://:RedisPassword1@172.30.0.1:6380/1?idle_timeout_seconds=30",
        "CORE_SECRET=coreSecret",
        "JOBSERVICE_SECRET=jobSecret",
        "CSRF_KEY=csrfKey",
        "ROBOT_SCANNER_NAME_PREFIX=robotPrefix",
        "REGISTRY_CREDENTIAL_PASSWORD=registryPassword",
      ]),
    );
  });

  test("the same secrets reach core, jobservice and registryctl", () => {
    for (const text of [render.jobserviceEnv(settings, secrets), render.registryctlEnv(secrets)]) {
      expect(text).toContain("CORE_SECRET=coreSecret\nJOBSERVICE_SECRET=jobSecret\n");
    }
  });

  test("a Redis password is quoted in URLs and bare in the registry's file", () => {
    const changed = harborSettings();
    changed.external_redis.password = "a/b";
    const odd = readSettings(JSON.stringify(changed));
    expect(render.redisUrl(odd, 2)).toBe("redis://:a%2Fb@172.30.0.1:6380/2?idle_timeout_seconds=30");
    expect(render.registryConfig(odd)).toContain("password: a/b\n");
  });
});

describe("registry configuration", () => {
  test("keeps images below /storage and caches in Redis", () => {
    const config = parse(render.registryConfig(settings));
    expect(config.storage.filesystem).toEqual({ rootdirectory: "/storage" });
    expect(config.redis).toMatchObject({ addr: "172.30.0.1:6380", password: "RedisPassword1", db: 1 });
    expect(config.http.secret).toBe("placeholder");
  });

  test("takes another storage driver with its options", () => {
    const changed = { ...harborSettings(), storage_service: { s3: { bucket: "images" }, redirect: { disable: true } } };
    const config = parse(render.registryConfig(readSettings(JSON.stringify(changed))));
    expect(config.storage).toMatchObject({ s3: { bucket: "images" }, redirect: { disable: true } });
    expect(config.storage.filesystem).toBeUndefined();
  });
});

describe("nginx configuration", () => {
  test("sends plain HTTP to the https port and serves TLS", () => {
    const config = render.nginxConfig(settings);
    expect(config).toContain("return 308 https://$host:8443$request_uri;");
    expect(config).toContain("listen 8443 ssl;");
  });

  test("serves plain HTTP where there is no https", () => {
    const changed = harborSettings();
    delete changed.https;
    const config = render.nginxConfig(readSettings(JSON.stringify(changed)));
    expect(config).not.toContain("ssl");
    expect(config).toContain("location /v2/");
  });
});

describe("docker-compose.yml", () => {
  const compose = parse(composeFile(settings));
  const services = Object.entries<Record<string, unknown>>(compose.services);

  test("has Harbor's services and container names, each of which restarts and says that it is a stand-in", () => {
    const names = services.map(([service, { container_name }]) => [service, container_name]);
    expect(Object.fromEntries(names)).toEqual({
      log: "harbor-log",
      registry: "registry",
      registryctl: "registryctl",
      core: "harbor-core",
      portal: "harbor-portal",
      jobservice: "harbor-jobservice",
      proxy: "nginx",
    });
    for (const [, service] of services) {
      expect(service.restart).toBe("always");
      expect(service.labels).toEqual({ "dev.harbor-ha.stand-in": "true" });
      expect(service.image).toMatch(/^goharbor\/.*:v2\.15\.2$/);
    }
  });

  test("publishes the ports of harbor.yml and mounts the data volume", () => {
    expect(compose.services.proxy.ports).toEqual(["8080:8080", "8443:8443"]);
    expect(compose.services.registry.volumes).toContain("/data/registry:/storage:z");
    expect(compose.services.jobservice.volumes).toContain("/data/job_logs:/var/log/jobs:z");
    expect(compose.services.core.env_file).toEqual(["./common/config/core/env"]);
  });
});
