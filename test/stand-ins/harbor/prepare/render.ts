import type { Settings } from "./settings.ts";

/** Made anew by every run of prepare, as in Harbor. */
export interface RandomSecrets {
  core: string;
  jobservice: string;
  registryPassword: string;
  csrfKey: string;
  robotPrefix: string;
}

export const registryUser = "harbor_registry_user";

export function redisUrl({ redis }: Settings, index: number) {
  const login = redis.password ? `${redis.username}:${encodeURIComponent(redis.password)}@` : "";
  return `redis://${login}${redis.host}/${index}?idle_timeout_seconds=${redis.idle}`;
}

export function coreEnv(settings: Settings, secrets: RandomSecrets): string {
  const { database } = settings;
  return envFile({
    CONFIG_PATH: "/etc/core/app.conf",
    _REDIS_URL_CORE: redisUrl(settings, 0),
    _REDIS_URL_REG: redisUrl(settings, settings.redis.registryIndex),
    LOG_LEVEL: settings.logLevel,
    EXT_ENDPOINT: settings.externalUrl,
    DATABASE_TYPE: "postgresql",
    POSTGRESQL_HOST: database.host,
    POSTGRESQL_PORT: database.port,
    POSTGRESQL_USERNAME: database.username,
    POSTGRESQL_PASSWORD: database.password,
    POSTGRESQL_DATABASE: database.name,
    POSTGRESQL_SSLMODE: database.sslMode,
    POSTGRESQL_MAX_IDLE_CONNS: database.maxIdle,
    POSTGRESQL_MAX_OPEN_CONNS: database.maxOpen,
    POSTGRESQL_CONN_MAX_LIFETIME: database.lifetime,
    POSTGRESQL_CONN_MAX_IDLE_TIME: database.idleTime,
    ...peers,
    TOKEN_SERVICE_URL: "http://core:8080/service/token",
    CORE_LOCAL_URL: "http://127.0.0.1:8080",
    WITH_TRIVY: settings.trivy,
    HARBOR_ADMIN_PASSWORD: settings.adminPassword,
    MAX_JOB_WORKERS: settings.workers,
    CORE_SECRET: secrets.core,
    JOBSERVICE_SECRET: secrets.jobservice,
    REGISTRY_CREDENTIAL_USERNAME: registryUser,
    REGISTRY_CREDENTIAL_PASSWORD: secrets.registryPassword,
    CSRF_KEY: secrets.csrfKey,
    ROBOT_SCANNER_NAME_PREFIX: secrets.robotPrefix,
    REGISTRY_STORAGE_PROVIDER_NAME: settings.storage.driver,
    READ_ONLY: false,
  });
}

export function jobserviceEnv(settings: Settings, secrets: RandomSecrets): string {
  return envFile({
    CORE_SECRET: secrets.core,
    JOBSERVICE_SECRET: secrets.jobservice,
    CORE_URL: peers.CORE_URL,
    REGISTRY_URL: peers.REGISTRY_URL,
    REGISTRY_CONTROLLER_URL: peers.REGISTRY_CONTROLLER_URL,
    REGISTRY_CREDENTIAL_USERNAME: registryUser,
    REGISTRY_CREDENTIAL_PASSWORD: secrets.registryPassword,
    JOBSERVICE_WEBHOOK_JOB_MAX_RETRY: settings.webhook.retries,
    JOBSERVICE_WEBHOOK_JOB_HTTP_CLIENT_TIMEOUT: settings.webhook.timeout,
    LOG_LEVEL: settings.logLevel,
  });
}

export function registryctlEnv(secrets: RandomSecrets): string {
  return envFile({ CORE_SECRET: secrets.core, JOBSERVICE_SECRET: secrets.jobservice });
}

/** Harbor writes this one, with the external database's password, although no service reads it. */
export function databaseEnv(settings: Settings): string {
  return envFile({ POSTGRES_PASSWORD: settings.database.password });
}

/** Values stand bare, so that a password which breaks the real registry's file breaks this one too. */
export function registryConfig(settings: Settings): string {
  const { storage, redis } = settings;
  const options = { ...(storage.driver === "filesystem" ? { rootdirectory: "/storage" } : {}), ...storage.options };
  const lines = Object.entries(options).map(([key, value]) => `\n    ${key}: ${value}`);
  return `version: 0.1
log: {level: ${settings.logLevel === "warning" ? "warn" : settings.logLevel}, fields: {service: registry}}
storage:
  cache: {layerinfo: redis}
  ${storage.driver}:${lines.join("") || " {}"}
  maintenance:
    uploadpurging: {enabled: true, age: 168h, interval: 24h, dryrun: false}
  delete: {enabled: true}
  redirect: {disable: ${storage.redirectDisabled}}
redis:
  addr: ${redis.host}
  password: ${redis.password}
  db: ${redis.registryIndex}
  dialtimeout: 10s
  readtimeout: 10s
  writetimeout: 10s
  pool: {maxidle: 100, maxactive: 500, idletimeout: 60s}
http:
  addr: :5000
  secret: placeholder
  debug: {addr: "localhost:5001"}
auth:
  htpasswd: {realm: stand-in-registry, path: /etc/registry/passwd}
validation: {disabled: true}
`;
}

export function jobserviceConfig(settings: Settings): string {
  return `# read by the stand-in's jobservice: redis_url and workers only
protocol: http
port: 8080
worker_pool:
  workers: ${settings.workers}
  backend: redis
  redis_pool:
    redis_url: ${redisUrl(settings, settings.redis.jobIndex)}
    namespace: harbor_job_service_namespace
job_loggers: [${settings.jobLoggers.join(", ")}]
logger_sweeper_days: ${settings.sweeperDays}
`;
}

export function nginxConfig({ https }: Settings): string {
  const port = https && https.port !== 443 ? `:${https.port}` : "";
  const routes = `
    client_max_body_size 0;
    add_header X-Harbor-Stand-In true always;
    location / { proxy_pass http://portal/; }
    location /c/ { proxy_pass http://core/c/; }
    location /api/ { proxy_pass http://core/api/; }
    location /service/ { proxy_pass http://core/service/; }
    location /v1/ { return 404; }
    location /v2/ { proxy_pass http://core; proxy_send_timeout 900; proxy_read_timeout 900; }`;
  const tls = https
    ? `
  server {
    listen 8443 ssl;
    server_tokens off;
    ssl_certificate /etc/cert/server.crt;
    ssl_certificate_key /etc/cert/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;${routes}
  }`
    : "";
  return `worker_processes auto;
pid /tmp/nginx.pid;
error_log stderr;
events { worker_connections 3096; multi_accept on; }
http {
  access_log /dev/stdout;
  client_body_temp_path /tmp/client; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  # Looked up once, at start: when core comes back with another address nginx must be restarted, as with Harbor.
  upstream core { server core:8080; }
  upstream portal { server portal:8080; }
  map $http_x_forwarded_proto $forwarded_proto { default $http_x_forwarded_proto; "" $scheme; }
  proxy_http_version 1.1;
  proxy_buffering off;
  proxy_request_buffering off;
  proxy_set_header Host $http_host;
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $forwarded_proto;
  proxy_set_header Connection "";
  server {
    listen 8080;
    server_tokens off;${https ? `\n    return 308 https://$host${port}$request_uri;` : routes}
  }${tls}
}
`;
}

const peers = {
  REGISTRY_URL: "http://registry:5000",
  PORTAL_URL: "http://portal:8080",
  CORE_URL: "http://core:8080",
  JOBSERVICE_URL: "http://jobservice:8080",
  REGISTRY_CONTROLLER_URL: "http://registryctl:8080",
};

function envFile(values: Record<string, string | number | boolean>) {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
