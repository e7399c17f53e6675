import { stringify } from "yaml";
import { label, version } from "../names.ts";
import type { Settings } from "./settings.ts";

/**
 * docker-compose.yml with the services, names, mounts and ports of Harbor 2.15.2 without its own database and Redis.
 * One difference on purpose: logs go to Docker's json-file instead of the syslog of the log container.
 */
export function composeFile(settings: Settings): string {
  const { dataVolume: data, https, httpPort } = settings;
  const config = "./common/config";
  const secret = (path: string, target: string) => bind(`${data}/secret/${path}`, target);
  const trust = bind(`${config}/shared/trust-certificates`, "/harbor_cust_cert");
  const services = {
    log: {
      ...service("harbor-log", "harbor-log", []),
      ports: ["127.0.0.1:1514:10514"],
      volumes: [`${settings.logLocation}/:/var/log/docker/:z`],
    },
    registry: {
      ...service("registry-photon", "registry"),
      volumes: [
        `${data}/registry:/storage:z`,
        `${config}/registry/:/etc/registry/:z`,
        secret("registry/root.crt", "/etc/registry/root.crt"),
        trust,
      ],
    },
    registryctl: {
      ...service("harbor-registryctl", "registryctl"),
      env_file: [`${config}/registryctl/env`],
      volumes: [`${data}/registry:/storage:z`, `${config}/registry/:/etc/registry/:z`, trust],
    },
    core: {
      ...service("harbor-core", "harbor-core", ["log", "registry"]),
      env_file: [`${config}/core/env`],
      volumes: [
        `${data}/ca_download/:/etc/core/ca/:z`,
        `${data}/:/data/:z`,
        `${config}/core/certificates/:/etc/core/certificates/:z`,
        bind(`${config}/core/app.conf`, "/etc/core/app.conf"),
        secret("core/private_key.pem", "/etc/core/private_key.pem"),
        secret("keys/secretkey", "/etc/core/key"),
        trust,
      ],
    },
    portal: {
      ...service("harbor-portal", "harbor-portal"),
      volumes: [bind(`${config}/portal/nginx.conf`, "/etc/nginx/nginx.conf")],
    },
    jobservice: {
      ...service("harbor-jobservice", "harbor-jobservice", ["core"]),
      env_file: [`${config}/jobservice/env`],
      volumes: [
        `${data}/job_logs:/var/log/jobs:z`,
        bind(`${config}/jobservice/config.yml`, "/etc/jobservice/config.yml"),
        trust,
      ],
    },
    proxy: {
      ...service("nginx-photon", "nginx", ["registry", "core", "portal", "log"]),
      cap_add: ["CHOWN", "SETGID", "SETUID", "NET_BIND_SERVICE"],
      volumes: [
        `${config}/nginx:/etc/nginx:z`,
        ...(https ? [`${data}/secret/cert:/etc/cert:z`] : []),
        bind(`${config}/shared/trust-certificates`, "/harbor_cust_cert"),
      ],
      ports: [`${httpPort}:8080`, ...(https ? [`${https.port}:8443`] : [])],
    },
  };
  return stringify({ services, networks: { harbor: { external: false } } }, { aliasDuplicateObjects: false });
}

function service(image: string, name: string, dependsOn = ["log"]) {
  return {
    image: `goharbor/${image}:${version}`,
    container_name: name,
    restart: "always",
    labels: { [label]: "true" },
    cap_drop: ["ALL"],
    cap_add: ["CHOWN", "SETGID", "SETUID"],
    networks: ["harbor"],
    ...(dependsOn.length > 0 ? { depends_on: dependsOn } : {}),
    logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "2" } },
  };
}

function bind(source: string, target: string) {
  return { type: "bind", source, target };
}
