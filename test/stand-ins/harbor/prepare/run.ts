import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { composeFile } from "./compose.ts";
import * as render from "./render.ts";
import { Refusal, readSettings, type Settings } from "./settings.ts";

const harborUser = 10000;
const redisUser = 999;

/** The prepare image's program: /input/harbor.yml → /config, /compose_location and /data, exit code as the real one. */
export function prepare(args: string[]): number {
  try {
    for (const file of readdirSync("/config", { recursive: true, withFileTypes: true })) {
      if (!file.isDirectory()) rmSync(join(file.parentPath, file.name));
    }
    const settings = readSettings(readFileSync("/input/harbor.yml", "utf8"), { trivy: args.includes("--with-trivy") });
    const secrets = makeRandomSecrets();
    writeConfig(settings, secrets);
    makeData();
    keepSecretKey();
    keepTokenKey();
    if (settings.https) copyCertificate(settings.https);
    writeFileSync("/compose_location/docker-compose.yml", composeFile(settings));
    console.log("[stand-in Harbor] configuration written; secrets that Harbor does not keep were made anew");
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`[stand-in Harbor] harbor.yml: ${error.message}`);
    return error.exitCode;
  }
}

function makeRandomSecrets(): render.RandomSecrets {
  return {
    core: randomText(16),
    jobservice: randomText(16),
    registryPassword: randomText(32),
    csrfKey: randomText(32),
    robotPrefix: randomText(8),
  };
}

function writeConfig(settings: Settings, secrets: render.RandomSecrets) {
  const passwd = execFileSync("htpasswd", ["-iBn", render.registryUser], { input: secrets.registryPassword });
  const owned: Record<string, string | Buffer> = {
    "core/app.conf": "# not used by the stand-in\nappname = Harbor stand-in\n",
    "jobservice/config.yml": render.jobserviceConfig(settings),
    "registry/config.yml": render.registryConfig(settings),
    "registry/passwd": passwd,
    "registryctl/config.yml": "# not used by the stand-in\nprotocol: http\nport: 8080\n",
    "nginx/nginx.conf": render.nginxConfig(settings),
    "portal/nginx.conf": "# not used by the stand-in\n",
    "log/rsyslog_docker.conf": "# not used by the stand-in\n",
  };
  const rootOnly = {
    "core/env": render.coreEnv(settings, secrets),
    "jobservice/env": render.jobserviceEnv(settings, secrets),
    "registryctl/env": render.registryctlEnv(secrets),
    "db/env": render.databaseEnv(settings),
  };
  for (const [path, text] of Object.entries(owned)) write(join("/config", path), text, harborUser, 0o640);
  for (const [path, text] of Object.entries(rootOnly)) write(join("/config", path), text, 0, 0o640);
  mkdirSync("/config/core/certificates", { recursive: true });
  rmSync("/config/shared/trust-certificates", { recursive: true, force: true });
  mkdirSync("/config/shared/trust-certificates", { recursive: true });
}

function makeData() {
  for (const name of ["registry", "job_logs", "ca_download"]) folder(`/data/${name}`, harborUser, 0o755);
  folder("/data/redis", redisUser, 0o755);
  folder("/data/database", redisUser, 0o700);
}

function keepSecretKey() {
  const file = "/data/secret/keys/secretkey";
  if (!existsSync(file)) write(file, randomText(16), harborUser, 0o600);
  if (readFileSync(file).length !== 16) throw new Refusal(1, `${file} must hold exactly 16 bytes, without a line end`);
  own(file);
}

/** Either file missing: both are made anew, so that a key given without its certificate is lost, as with Harbor. */
function keepTokenKey() {
  const [key, certificate] = ["/data/secret/core/private_key.pem", "/data/secret/registry/root.crt"];
  if (!existsSync(key) || !existsSync(certificate)) {
    for (const file of [key, certificate]) mkdirSync(dirname(file), { recursive: true });
    const run = (...args: string[]) => execFileSync("openssl", args, { stdio: ["ignore", "ignore", "inherit"] });
    run("genrsa", "-traditional", "-out", key, "4096");
    run("req", "-new", "-x509", "-key", key, "-out", certificate, "-days", "3650", "-subj", "/CN=harbor-stand-in");
  }
  own(key);
  own(certificate);
}

function copyCertificate(https: NonNullable<Settings["https"]>) {
  rmSync("/data/secret/cert", { recursive: true, force: true });
  const files = { "server.crt": https.certificate, "server.key": https.privateKey };
  for (const [name, source] of Object.entries(files)) {
    if (!existsSync(`/hostfs${source}`)) throw new Refusal(1, `https: no file ${source} on this host`);
    write(`/data/secret/cert/${name}`, readFileSync(`/hostfs${source}`), harborUser, 0o600);
  }
}

function write(file: string, content: string | Buffer, owner: number, mode: number) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chownSync(file, owner, owner);
  chmodSync(file, mode);
}

function own(file: string) {
  chownSync(file, harborUser, harborUser);
  chmodSync(file, 0o600);
}

function folder(path: string, owner: number, mode: number) {
  if (existsSync(path) && statSync(path).uid === owner) return;
  mkdirSync(path, { recursive: true });
  execFileSync("chown", ["-R", `${owner}:${owner}`, path]);
  chmodSync(path, mode);
}

function randomText(length: number) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}
