import { z } from "zod";

/** Operating systems of the nodes. */
export const systems = ["debian-13", "debian-12", "ubuntu-24.04"] as const;
export const system = z.enum(systems);
export type System = z.infer<typeof system>;

interface PackageSource {
  url: string;
  suite: string;
  component: string;
  /** Key that signs it; `bootstrap.sh` brings it. */
  key: string;
}

/** What differs between them: older ones get PostgreSQL 17, PgBouncer and Compose 2 from their makers' package sources. */
interface Distribution {
  /** Docker Engine and Compose. */
  docker: string[];
  /** The parts of it that no upgrade may replace under running containers. */
  containers: string[];
  sources: Record<string, PackageSource>;
}

const makers = (distribution: "debian" | "ubuntu", codename: string): Distribution => ({
  docker: ["docker-ce", "docker-ce-cli", "docker-compose-plugin"],
  containers: ["containerd.io", "docker-ce", "docker-ce-cli", "docker-compose-plugin"],
  sources: {
    postgresql: {
      url: "https://apt.postgresql.org/pub/repos/apt",
      suite: `${codename}-pgdg`,
      component: "main",
      key: "/usr/share/postgresql-common/pgdg/apt.postgresql.org.asc",
    },
    docker: {
      url: `https://download.docker.com/linux/${distribution}`,
      suite: codename,
      component: "stable",
      key: "/etc/apt/keyrings/harbor-ha-docker.asc",
    },
  },
});

export const distributions: Record<System, Distribution> = {
  "debian-13": {
    docker: ["docker.io", "docker-cli", "docker-compose"],
    containers: ["containerd", "docker-cli", "docker-compose", "docker.io", "runc"],
    sources: {},
  },
  "debian-12": makers("debian", "bookworm"),
  "ubuntu-24.04": makers("ubuntu", "noble"),
};
