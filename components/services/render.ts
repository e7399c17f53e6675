import type { Config } from "../../stacks/config.ts";
import { hostScript } from "../apply/host-script.ts";
import type { NotifyHook } from "../model/agent.ts";
import { type Bundle, makeBundle } from "../model/bundle.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Node } from "../model/node.ts";
import { hostPaths } from "../model/paths.ts";
import type { RecordKeys } from "../model/record.ts";
import type { Secret, SecretLabel } from "../model/secrets.ts";
import { distributions } from "../model/system.ts";
import type { Topology } from "../model/topology.ts";
import { placeholders } from "../secrets.ts";
import { renderAgent } from "./agent/render.ts";
import { renderDocker } from "./docker/render.ts";
import { haproxyPackages, renderHaproxy } from "./haproxy/render.ts";
import { harborPackages, renderHarbor } from "./harbor/render.ts";
import { keepalivedPackages, renderKeepalived } from "./keepalived/render.ts";
import { pgbouncerPackages, renderPgbouncer } from "./pgbouncer/render.ts";
import { postgresPackages, renderPostgres } from "./postgres/render.ts";
import { redisPackages, renderRedis } from "./redis/render.ts";
import { renderSystem } from "./system/render.ts";

/** Packages of all services on the lab's Debian 13: what it downloads beforehand. */
export const servicePackages = [
  "chrony",
  ...postgresPackages,
  ...redisPackages,
  ...pgbouncerPackages,
  ...haproxyPackages,
  ...keepalivedPackages,
  ...distributions["debian-13"].docker,
  ...harborPackages,
];

/** Every service of one node as bundles; the first, `system`, goes before the others, which go in any order. */
export function renderNode(
  topology: Topology,
  node: Node,
  config: Config,
  secrets: Pick<Secret, "label" | "tag">[],
): [Bundle, ...Bundle[]] {
  const secret = placeholders(secrets);
  const ca = config.identity.caCertificate;
  const { external } = config.postgres;
  const services = [
    renderAgent(
      topology,
      node,
      config.postgres,
      { own: hostScript("services/agent/host/own.sh"), lease: hostScript("services/agent/host/lease.sh") },
      notifyHook(config, secret),
      recordKeys(config, secret),
    ),
    renderPostgres(
      topology,
      node,
      config.postgres,
      {
        replication: secret("postgres.replication"),
        harbor: secret("postgres.harbor"),
        certificate: secret("internal.certificate"),
        privateKey: secret("internal.privateKey"),
        caCertificate: ca,
      },
      { postgres: hostScript("services/postgres/host/postgres.sh") },
    ),
    renderRedis(topology, node, config.redis, secret("redis.password"), hostScript("services/redis/host/redis.sh")),
    renderPgbouncer(
      topology,
      config.pgbouncer,
      { harbor: secret("postgres.harbor"), ...(external ? { external: secret("postgres.external") } : {}) },
      external ? external.caCertificate : ca,
      hostScript("services/pgbouncer/host/pgbouncer.sh"),
    ),
    renderHaproxy(topology, config.redis.external?.caCertificate),
    renderKeepalived(topology, node),
    renderDocker(topology),
    renderHarbor(topology, config.harbor, secret, ca, {
      harbor: hostScript("services/harbor/host/harbor.sh"),
      storage: hostScript("services/harbor/host/storage-guard.sh"),
    }),
  ];
  // In one go, before the services: apt is slow to begin.
  const packages = services.flatMap(({ packages }) => packages);
  return [renderSystem(topology, ["chrony", ...packages]), ...services];
}

function notifyHook({ notify }: Config, secret: (label: SecretLabel) => string): NotifyHook | undefined {
  return notify && { command: notify.command, webhook: notify.webhook && secret("notify.webhook") };
}

function recordKeys({ record }: Config, secret: (label: SecretLabel) => string): RecordKeys | undefined {
  return record && { accessKeyId: record.s3.accessKeyId, secretAccessKey: secret("record.secretAccessKey") };
}

/** The command line works with `--host root@node1` alone, when the stack's state is out of reach. */
export function renderInventory(inventory: Inventory): Bundle {
  const access = Object.fromEntries(
    Object.entries(inventory.access).map(([name, { identityFile: _, ...rest }]) => [name, rest]),
  );
  return makeBundle("inventory", {
    files: {
      [hostPaths.inventory]: { mode: "0644", content: `${JSON.stringify({ ...inventory, access }, null, 2)}\n` },
    },
  });
}
