import { parse } from "yaml";

/** A harbor.yml as the toolkit writes it. */
export const harborYml = `
_version: 2.15.0
hostname: harbor.example.com
http: {port: 8080}
https: {port: 8443, certificate: /etc/harbor-ha/tls.crt, private_key: /etc/harbor-ha/tls.key}
external_url: https://harbor.example.com
harbor_admin_password: AdminPassword1
data_volume: /data
jobservice: {max_job_workers: 10, job_loggers: [DB, FILE], logger_sweeper_duration: 1}
notification: {webhook_job_max_retry: 3, webhook_job_http_client_timeout: 3}
log: {level: info, local: {rotate_count: 50, rotate_size: 200M, location: /var/log/harbor}}
external_database:
  harbor: {host: 172.30.0.1, port: 6432, db_name: registry, username: harbor, password: DbPassword1,
    ssl_mode: disable, max_open_conns: 50, conn_max_lifetime: 1m}
external_redis: {host: "172.30.0.1:6380", password: RedisPassword1}
`;

/** The same as data, to be changed and written again: YAML reads JSON. */
export function harborSettings() {
  return parse(harborYml);
}

export const secrets = {
  core: "coreSecret",
  jobservice: "jobSecret",
  registryPassword: "registryPassword",
  csrfKey: "csrfKey",
  robotPrefix: "robotPrefix",
};
