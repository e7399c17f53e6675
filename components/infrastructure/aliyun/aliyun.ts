import { readFileSync } from "node:fs";
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import {
  type AliyunConfig,
  aliyunTopology,
  type BucketUse,
  nodeAddresses,
  stackNameProblem,
} from "../../model/aliyun.ts";
import type { Infrastructure } from "../infrastructure.ts";
import { Bucket } from "./bucket.ts";
import { NodeRole, RegistryUser } from "./identity.ts";
import { LoadBalancer } from "./load-balancer.ts";
import { Nas } from "./nas.ts";
import { Network } from "./network.ts";
import { Node } from "./node.ts";
import { OwnArguments } from "./own-arguments.ts";
import { Postgres } from "./postgres.ts";
import { Redis } from "./redis.ts";

/** Two ECS instances in two zones behind a load balancer; images on a share or in a bucket; database and Redis on the nodes or managed. */
export function aliyunInfrastructure(stack: string, config: AliyunConfig, parent: pulumi.Resource): Infrastructure {
  const problem = stackNameProblem(stack);
  if (problem) throw new pulumi.RunError(problem);
  const options = { ...config.aliyun, tags: { ...config.aliyun.tags, "harbor-ha": stack } };
  const topology = aliyunTopology(stack, config);
  const provider = new alicloud.Provider("aliyun", { region: options.region }, { parent });
  const own = new OwnArguments(options.arguments);
  const transformations = [own.transformation];
  const below = { parent, providers: { alicloud: provider }, transformations };
  const common = { stack, options };

  const network = new Network("network", common, below);
  const { vpcId, switchIds, zoneId } = network;
  const key = new alicloud.ecs.EcsKeyPair(
    "login",
    { keyPairName: `harbor-ha-${stack}`, publicKey: options.publicKey, tags: options.tags },
    // An update of it changes nothing in the account; instances that exist keep theirs all the same.
    { parent, provider, transformations, deleteBeforeReplace: true, ignoreChanges: ["publicKey"] },
  );
  const privateKey = options.privateKeyFile === undefined ? undefined : readFileSync(options.privateKeyFile, "utf8");
  const nodes = nodeAddresses(options).map(
    (address, index) =>
      new Node(
        `node${index + 1}`,
        {
          ...common,
          zone: options.zones[index as 0 | 1],
          address,
          switchId: switchIds[index as 0 | 1],
          securityGroupId: network.securityGroupId,
          keyName: key.keyPairName,
          privateKey,
          reachable: network.rules,
        },
        below,
      ),
  );
  const instanceIds = nodes.map(({ instanceId }) => instanceId);

  const uses: BucketUse[] = ["record", "backup", ...(options.images === "oss" ? ["images" as const] : [])];
  const buckets = uses.map((use) => new Bucket(`${use}-bucket`, { ...common, use }, below));
  const role = new NodeRole("node-role", { ...common, instanceIds }, below);
  const registry = options.images === "oss" ? new RegistryUser("registry-user", common, below) : undefined;
  const nas =
    options.images === "nas" ? new Nas("nas", { ...common, vpcId, switchId: switchIds[0], zoneId }, below) : undefined;
  const { external: redis } = config.redis;
  const { external: postgres } = config.postgres;
  const servers = [
    ...(options.redis && redis
      ? [
          new Redis(
            "redis",
            { ...common, redis: options.redis, password: redis.password, switchId: switchIds[0], zoneId },
            below,
          ),
        ]
      : []),
    ...(options.postgres && postgres
      ? [new Postgres("postgres", { ...common, ...postgres, postgres: options.postgres, switchIds, zoneId }, below)]
      : []),
  ];
  const balancer = new LoadBalancer(
    "load-balancer",
    { ...common, vpcId, switchIds, instanceIds, affinity: topology.storage.kind === "nfs" },
    below,
  );

  own.check();

  const named = <T>(values: pulumi.Output<T>[]) =>
    Object.fromEntries(topology.nodes.map(({ name }, index) => [name, values[index] as pulumi.Output<T>]));
  return {
    topology,
    access: named(nodes.map(({ access }) => access)),
    fence: pulumi
      .output(named(instanceIds))
      .apply((instances) => ({ kind: "aliyun" as const, region: options.region, instances })),
    machines: [
      ...network.rules,
      ...nodes.map(({ ready }) => ready),
      ...[...buckets, role, ...(nas ? [nas] : []), ...servers].flatMap(({ ready }) => ready),
      balancer,
    ],
    loadBalancer: balancer.address,
    secrets: registry && [
      { label: "storage.accessKeyId", tag: "1", value: registry.accessKeyId },
      { label: "storage.secretAccessKey", tag: "1", value: registry.accessKeySecret },
    ],
    privateKey,
  };
}
