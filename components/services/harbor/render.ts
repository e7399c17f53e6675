import { stringify } from "yaml";
import { type Bundle, makeBundle } from "../../model/bundle.ts";
import { hostPaths } from "../../model/paths.ts";
import { ports } from "../../model/ports.ts";
import type { SecretLabel } from "../../model/secrets.ts";
import { sharedPath, type Topology } from "../../model/topology.ts";
import { harborUnit } from "../../model/units.ts";

export interface HarborOptions {
  version: string;
  logLevel: string;
  maxJobWorkers: number;
  /** Cron with seconds, or `none`. */
  garbageCollection: string;
  /** 0: for ever. */
  auditRetentionDays: number;
}

export const harborPackages = ["curl", "ca-certificates"];

/** Services of Harbor's own compose file when database and Redis are outside. */
const composeServices = ["log", "registry", "registryctl", "core", "portal", "jobservice", "proxy"];

/** Harbor on one node: the same files on both. Its own installer makes everything else from them. */
export function renderHarbor(
  topology: Topology,
  options: HarborOptions,
  secret: (label: SecretLabel) => string,
  caCertificate: string,
  scripts: { harbor: string; storage: string },
): Bundle {
  const restart = { restart: harborUnit };
  const harborUser = { owner: "10000:10000" };
  return makeBundle("harbor", {
    packages: harborPackages,
    directories: {
      [hostPaths.harborData]: { mode: "0755" },
      [`${hostPaths.harborData}/secret`]: { mode: "0755" },
    },
    files: {
      [`${hostPaths.harbor}/harbor.yml`]: {
        mode: "0600",
        onChange: restart,
        content: harborYaml(topology, options, secret),
      },
      [`${hostPaths.harbor}/docker-compose.override.yml`]: {
        mode: "0600",
        onChange: restart,
        content: composeOverride(topology, secret),
      },
      [`${hostPaths.certificates}/endpoint.crt`]: {
        mode: "0644",
        onChange: restart,
        content: secret("endpoint.certificate"),
      },
      [`${hostPaths.certificates}/endpoint.key`]: {
        mode: "0600",
        onChange: restart,
        content: secret("endpoint.privateKey"),
      },
      ...schedules(options),
      [`${hostPaths.certificates}/ca.crt`]: { mode: "0644", content: caCertificate },
      // Identical on both nodes, or tokens and stored credentials of one node fail on the other; prepare keeps them.
      [`${hostPaths.harborData}/secret/keys/secretkey`]: {
        mode: "0600",
        ...harborUser,
        onChange: restart,
        content: secret("harbor.secretKey"),
      },
      [`${hostPaths.harborData}/secret/core/private_key.pem`]: {
        mode: "0600",
        ...harborUser,
        onChange: restart,
        content: secret("harbor.tokenKey"),
      },
      [`${hostPaths.harborData}/secret/registry/root.crt`]: {
        mode: "0600",
        ...harborUser,
        onChange: restart,
        content: secret("harbor.tokenCertificate"),
      },
      [`${hostPaths.programs}/harbor.sh`]: { mode: "0755", content: scripts.harbor },
      [`${hostPaths.programs}/storage-guard.sh`]: { mode: "0755", content: scripts.storage },
      [`${hostPaths.etc}/storage.conf`]: { mode: "0644", content: storageConf(topology) },
      [`/etc/systemd/system/${harborUnit}`]: {
        mode: "0644",
        content: `[Unit]
Description=Harbor
Requires=docker.service
After=docker.service network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=${hostPaths.programs}/storage-guard.sh check
ExecStart=${hostPaths.programs}/harbor.sh up
ExecStop=${hostPaths.programs}/harbor.sh down
TimeoutStartSec=15min
Restart=on-failure
RestartSec=5s

[Install]
WantedBy=multi-user.target
`,
      },
    },
    managedUnits: [harborUnit],
  });
}

/** What is asked of Harbor's API once, after the first installation. */
function schedules({ garbageCollection, auditRetentionDays }: HarborOptions): Bundle["files"] {
  const wish = (job: string, cron: string, parameters: object) => ({
    [`${hostPaths.etc}/harbor/${job}.json`]: {
      mode: "0644",
      content: `${JSON.stringify({ schedule: { type: "Custom", cron }, parameters }, null, 2)}\n`,
    },
  });
  return {
    ...(garbageCollection === "none" ? {} : wish("gc", garbageCollection, { delete_untagged: false, workers: 1 })),
    ...(auditRetentionDays === 0
      ? {}
      : wish("purgeaudit", "0 30 2 * * *", {
          audit_retention_hour: auditRetentionDays * 24,
          include_event_types: "create_artifact,delete_artifact,pull_artifact",
        })),
  };
}

/** harbor.yml for 2.13 to 2.15; prepare validates hardly anything, so every required key stands here. */
function harborYaml(topology: Topology, options: HarborOptions, secret: (label: SecretLabel) => string): string {
  const [major, minor] = options.version.split(".");
  return stringify(
    {
      _version: `${major}.${minor}.0`,
      hostname: topology.hostname,
      external_url: `https://${topology.hostname}`,
      http: { port: ports.harborHttp },
      https: {
        port: ports.harborHttps,
        certificate: `${hostPaths.certificates}/endpoint.crt`,
        private_key: `${hostPaths.certificates}/endpoint.key`,
      },
      harbor_admin_password: secret("harbor.adminPassword"),
      data_volume: hostPaths.harborData,
      jobservice: {
        max_job_workers: options.maxJobWorkers,
        max_job_duration_hours: 24,
        // In the database, so that either node shows every log.
        job_loggers: ["DB"],
        logger_sweeper_duration: 14,
      },
      notification: { webhook_job_max_retry: 3, webhook_job_http_client_timeout: 3 },
      log: {
        level: options.logLevel,
        local: { rotate_count: 20, rotate_size: "100M", location: "/var/log/harbor" },
      },
      external_database: {
        harbor: {
          host: topology.serviceAddress,
          port: ports.pgbouncer,
          db_name: "registry",
          username: "harbor",
          password: secret("postgres.harbor"),
          // The hop to PgBouncer stays on the node; from there on it is TLS.
          ssl_mode: "disable",
          max_idle_conns: 20,
          // 0 would be unlimited.
          max_open_conns: 100,
          conn_max_lifetime: "5m",
          conn_max_idle_time: "30s",
        },
      },
      external_redis: {
        host: `${topology.serviceAddress}:${ports.redisRoute}`,
        password: secret("redis.password"),
        ...(topology.redis?.user ? { username: topology.redis.user } : {}),
        registry_db_index: 1,
        jobservice_db_index: 2,
        trivy_db_index: 5,
        idle_timeout_seconds: 30,
      },
      ...storageService(topology, secret),
      upload_purging: { enabled: true, age: "168h", interval: "24h", dryrun: false },
      cache: { enabled: false, expire_hours: 24 },
    },
    { lineWidth: 0 },
  );
}

/** Images in a bucket: every byte still goes through the nodes, so that clients need no way to the bucket. */
function storageService({ storage }: Topology, secret: (label: SecretLabel) => string): object {
  if (storage.kind !== "s3" && storage.kind !== "oss") return {};
  const { region, bucket, folder } = storage;
  const redirect = { disable: true };
  if (storage.kind === "oss")
    return {
      storage_service: {
        // Through the region's own network: no traffic is paid for.
        oss: {
          accesskeyid: secret("storage.accessKeyId"),
          accesskeysecret: secret("storage.secretAccessKey"),
          region: `oss-${region}`,
          internal: "true",
          bucket,
          rootdirectory: `/${folder}`,
        },
        redirect,
      },
    };
  const { endpoint } = storage;
  return {
    storage_service: {
      s3: {
        accesskey: secret("storage.accessKeyId"),
        secretkey: secret("storage.secretAccessKey"),
        region,
        regionendpoint: endpoint,
        bucket,
        rootdirectory: `/${folder}`,
        v4auth: true,
        // A text: prepare prints a YAML false in a way of its own.
        ...(endpoint.startsWith("http:") ? { secure: "false" } : {}),
      },
      redirect,
    },
  };
}

/** What the storage guard compares: a mounted directory, or the name of a bucket. */
function storageConf({ storage }: Topology): string {
  if ("path" in storage) return `path=${storage.path}\n`;
  const service = storage.kind === "s3" ? storage.endpoint : `oss-${storage.region}`;
  return `identity=${service}/${storage.bucket}/${storage.folder}\n`;
}

/**
 * docker-compose.override.yml: prepare never touches it. Pins what prepare makes anew on each node, keeps database errors
 * short, takes image data from the shared storage, and leaves the start at boot to our unit, which checks that storage.
 */
function composeOverride(topology: Topology, secret: (label: SecretLabel) => string): string {
  const share = sharedPath(topology);
  const shared = (folder: string, target: string) =>
    share === undefined
      ? {}
      : {
          volumes: [{ type: "bind", source: `${share}/${folder}`, target, bind: { create_host_path: false } }],
        };
  const secrets = { CORE_SECRET: secret("harbor.coreSecret"), JOBSERVICE_SECRET: secret("harbor.jobserviceSecret") };
  const database = { PGCONNECT_TIMEOUT: "3" };
  const sysctls = { "net.ipv4.tcp_retries2": "4" };
  const services: Record<string, object> = {
    ...Object.fromEntries(composeServices.map((name) => [name, {}])),
    core: {
      environment: {
        ...secrets,
        ...database,
        CSRF_KEY: secret("harbor.csrfKey"),
        ROBOT_SCANNER_NAME_PREFIX: "harborha",
      },
      sysctls,
    },
    jobservice: { environment: { ...secrets, ...database }, sysctls, ...shared("job_logs", "/var/log/jobs") },
    registry: shared("registry", "/storage"),
    registryctl: { environment: secrets, ...shared("registry", "/storage") },
  };
  return stringify(
    {
      services: Object.fromEntries(
        // Docker restarts what crashes, but after a reboot waits for our unit.
        Object.entries(services).map(([name, service]) => [name, { restart: "on-failure", ...service }]),
      ),
    },
    { lineWidth: 0 },
  );
}
