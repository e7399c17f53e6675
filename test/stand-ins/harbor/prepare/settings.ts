import { parse } from "yaml";

/** A mistake that the real prepare reports by a traceback (exit 1) or by its validation (exit 255). */
export class Refusal extends Error {
  readonly exitCode: 1 | 255;
  constructor(exitCode: 1 | 255, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface Settings {
  hostname: string;
  httpPort: number;
  https?: { port: number; certificate: string; privateKey: string };
  externalUrl: string;
  adminPassword: string;
  dataVolume: string;
  storage: { driver: string; options: Record<string, unknown>; redirectDisabled: boolean };
  workers: number;
  jobLoggers: string[];
  sweeperDays: number;
  webhook: { retries: number; timeout: number };
  logLevel: string;
  logLocation: string;
  database: { host: string; port: number; name: string; username: string; password: string; sslMode: string } & Pool;
  redis: { host: string; username: string; password: string; registryIndex: number; jobIndex: number; idle: number };
  trivy: boolean;
}
interface Pool {
  maxIdle: number;
  maxOpen: number;
  lifetime: string;
  idleTime: string;
}
type Section = Record<string, unknown>;

/** Reads harbor.yml as prepare 2.15 does: keys are looked up in its order, the first missing one ends the run. */
export function readSettings(text: string, options: { trivy?: boolean } = {}): Settings {
  const root = section(parse(text), "harbor.yml");
  const hostname = need<string>(root, "hostname");
  const httpPort = need<number>(sub(root, "http"), "http.port");
  const https = root.https ? sub(root, "https") : undefined;
  const tls = https && {
    port: (https.port as number) ?? 443,
    certificate: need<string>(https, "https.certificate"),
    privateKey: need<string>(https, "https.private_key"),
  };
  const dataVolume = need<string>(root, "data_volume");
  const adminPassword = need<string>(root, "harbor_admin_password");
  if (!root.external_database) {
    throw new Refusal(1, "external_database is missing: the stand-in brings no database of its own");
  }
  const db = sub(sub(root, "external_database"), "external_database.harbor");
  const dbKey = <T>(key: string) => need<T>(db, `external_database.harbor.${key}`);
  const database = {
    host: dbKey<string>("host"),
    port: dbKey<number>("port"),
    name: dbKey<string>("db_name"),
    username: dbKey<string>("username"),
    password: dbKey<string>("password"),
    sslMode: dbKey<string>("ssl_mode"),
    maxIdle: (db.max_idle_conns as number) ?? 2,
    maxOpen: (db.max_open_conns as number) ?? 0,
    lifetime: (db.conn_max_lifetime as string) ?? "5m",
    idleTime: String(db.conn_max_idle_time ?? 0),
  };
  if (!root.external_redis) {
    throw new Refusal(1, "external_redis is missing: the stand-in brings no Redis of its own");
  }
  const redis = sub(root, "external_redis");
  if (redis.sentinel_master_set) throw new Refusal(1, "external_redis.sentinel_master_set: not in the stand-in");
  const jobs = sub(root, "jobservice");
  const notification = sub(root, "notification");
  const log = sub(root, "log");
  const logLevel = need<string>(log, "log.level");
  if (!/^(debug|info|warning|error|fatal)$/.test(logLevel)) throw new Refusal(1, `log.level: ${logLevel} is unknown`);

  const settings: Settings = {
    hostname,
    httpPort,
    ...(tls ? { https: tls } : {}),
    externalUrl: (root.external_url as string) ?? defaultUrl(hostname, httpPort, tls?.port),
    adminPassword: String(adminPassword),
    dataVolume,
    storage: readStorage(root.storage_service as Section | undefined),
    workers: need(jobs, "jobservice.max_job_workers"),
    jobLoggers: need(jobs, "jobservice.job_loggers"),
    sweeperDays: need(jobs, "jobservice.logger_sweeper_duration"),
    webhook: {
      retries: need(notification, "notification.webhook_job_max_retry"),
      timeout: need(notification, "notification.webhook_job_http_client_timeout"),
    },
    logLevel,
    logLocation: need(sub(log, "log.local"), "log.local.location"),
    database,
    redis: {
      host: need(redis, "external_redis.host"),
      username: (redis.username as string) ?? "",
      password: String(redis.password ?? ""),
      registryIndex: (redis.registry_db_index as number) || 1, // 0 is taken for "not given", as in Harbor
      jobIndex: (redis.jobservice_db_index as number) || 2,
      idle: (redis.idle_timeout_seconds as number) ?? 30,
    },
    trivy: options.trivy ?? false,
  };
  validate(settings, root);
  return settings;
}

function validate(settings: Settings, root: Section) {
  if (["127.0.0.1", "reg.mydomain.com"].includes(settings.hostname)) {
    throw new Refusal(255, `hostname: ${settings.hostname} cannot be reached by clients`);
  }
  if (settings.https?.certificate === "/your/certificate/path") {
    throw new Refusal(255, "https.certificate still has the value of the template");
  }
  const purging = root.upload_purging as Section | undefined;
  for (const key of ["age", "interval"] as const) {
    const hours = /^(\d+)h$/.exec(String(purging?.[key] ?? "24h"))?.[1];
    if (!hours || Number(hours) < 2) throw new Refusal(255, `upload_purging.${key} must be <n>h with n >= 2`);
  }
  const cache = root.cache as Section | undefined;
  if (cache?.enabled && !(Number(cache.expire_hours) > 0)) {
    throw new Refusal(255, "cache.expire_hours must be positive when cache.enabled is true");
  }
}

function readStorage(service: Section | undefined): Settings["storage"] {
  const driver = ["filesystem", "azure", "gcs", "s3", "swift", "oss"].find((name) => service && name in service);
  const redirect = service?.redirect as Section | undefined;
  if (redirect && !("disable" in redirect)) throw new Refusal(1, "storage_service.redirect.disable is missing");
  return {
    driver: driver ?? "filesystem",
    options: ((driver && service?.[driver]) || {}) as Section,
    redirectDisabled: redirect?.disable === true,
  };
}

function defaultUrl(hostname: string, httpPort: number, httpsPort?: number) {
  if (httpsPort) return `https://${hostname}${httpsPort === 443 ? "" : `:${httpsPort}`}`;
  return `http://${hostname}${httpPort === 80 ? "" : `:${httpPort}`}`;
}

function section(value: unknown, path: string): Section {
  if (value === null || typeof value !== "object") throw new Refusal(1, `${path} is missing or not a mapping`);
  return value as Section;
}

function sub(parent: Section, path: string) {
  return section(parent[path.split(".").at(-1) as string], path);
}

function need<T>(parent: Section, path: string): T {
  const value = parent[path.split(".").at(-1) as string];
  if (value === undefined) throw new Refusal(1, `${path} is missing`);
  return value as T;
}
