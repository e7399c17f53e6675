import { createHash } from "node:crypto";
import { label, standInVersion, version } from "./names.ts";

interface Image {
  entry: string[];
  /** Answers when the service is up. */
  port?: number;
  user?: string;
}

const program = (role: string) => ["node", "/stand-in.cjs", role];

/** The image names of the offline installer, except those of the database, Redis and Trivy. */
export const images: Record<string, Image> = {
  prepare: { entry: ["node", "/stand-in.cjs"], user: "0" },
  "harbor-log": { entry: program("log"), port: 10514 },
  "harbor-core": { entry: program("core"), port: 8080 },
  "harbor-portal": { entry: program("portal"), port: 8080 },
  "harbor-jobservice": { entry: program("jobservice"), port: 8080 },
  "harbor-registryctl": { entry: program("registryctl"), port: 8080 },
  "registry-photon": { entry: ["docker-registry", "serve", "/etc/registry/config.yml"], port: 5000 },
  "nginx-photon": { entry: ["nginx", "-e", "stderr", "-g", "daemon off;", "-c", "/etc/nginx/nginx.conf"], port: 8080 },
};

/** The files of a `docker load` archive beside the layers themselves: one config per image and the manifest. */
export function describeImages(layers: { path: string; sha256: string }[], architecture: string) {
  const files: Record<string, string> = {};
  const manifest = Object.entries(images).map(([name, image]) => {
    const config = JSON.stringify({
      architecture,
      os: "linux",
      created: "2025-01-01T00:00:00Z",
      config: {
        User: image.user ?? "10000:10000",
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        Entrypoint: image.entry,
        WorkingDir: "/",
        Labels: { [label]: "true", "org.opencontainers.image.version": standInVersion, [`${label}.image`]: name },
        ...(image.port ? { Healthcheck: healthcheck(image.port) } : {}),
      },
      rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${layer.sha256}`) },
      history: layers.map(() => ({ created: "2025-01-01T00:00:00Z", created_by: "stand-in for Harbor" })),
    });
    const file = `${createHash("sha256").update(config).digest("hex")}.json`;
    files[file] = config;
    return { Config: file, RepoTags: [`goharbor/${name}:${version}`], Layers: layers.map((layer) => layer.path) };
  });
  files["manifest.json"] = JSON.stringify(manifest);
  return files;
}

function healthcheck(port: number) {
  const second = 1_000_000_000;
  const test = ["CMD", "bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${port}`];
  return { Test: test, Interval: 30 * second, Timeout: 10 * second, StartPeriod: 30 * second, StartInterval: second };
}
