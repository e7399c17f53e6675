import { readFileSync } from "node:fs";
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { type AliyunConfig, aliyunTopology, nodeAddresses } from "../../model/aliyun.ts";
import type { Infrastructure } from "../infrastructure.ts";
import { LoadBalancer } from "./load-balancer.ts";
import { Nas } from "./nas.ts";
import { Network } from "./network.ts";
import { Node } from "./node.ts";

/** Two ECS instances in two zones behind a load balancer, with a share for the images. */
export function aliyunInfrastructure(stack: string, config: AliyunConfig, parent: pulumi.Resource): Infrastructure {
  const options = { ...config.aliyun, tags: { ...config.aliyun.tags, "harbor-ha": stack } };
  const topology = aliyunTopology(stack, config);
  const provider = new alicloud.Provider("aliyun", { region: options.region }, { parent });
  const below = { parent, providers: { alicloud: provider } };

  const network = new Network("network", { stack, options }, below);
  const key = new alicloud.ecs.EcsKeyPair(
    "login",
    { keyPairName: `harbor-ha-${stack}`, publicKey: options.publicKey, tags: options.tags },
    { parent, provider, deleteBeforeReplace: true },
  );
  const privateKey = options.privateKeyFile === undefined ? undefined : readFileSync(options.privateKeyFile, "utf8");
  const nodes = nodeAddresses(options).map(
    (address, index) =>
      new Node(
        `node${index + 1}`,
        {
          stack,
          options,
          zone: options.zones[index as 0 | 1],
          address,
          switchId: network.switchIds[index as 0 | 1],
          securityGroupId: network.securityGroupId,
          keyName: key.keyPairName,
          privateKey,
          reachable: network.rules,
        },
        below,
      ),
  );
  const nas = new Nas(
    "nas",
    { stack, options, vpcId: network.vpcId, switchId: network.switchIds[0], zoneId: network.zoneId },
    below,
  );
  const balancer = new LoadBalancer(
    "load-balancer",
    {
      stack,
      options,
      vpcId: network.vpcId,
      switchIds: network.switchIds,
      instanceIds: nodes.map(({ instanceId }) => instanceId),
      affinity: topology.storage.kind === "nfs",
    },
    below,
  );
  const named = <T>(values: pulumi.Output<T>[]) =>
    Object.fromEntries(topology.nodes.map(({ name }, index) => [name, values[index] as pulumi.Output<T>]));
  return {
    topology,
    access: named(nodes.map(({ access }) => access)),
    fence: pulumi
      .output(named(nodes.map(({ instanceId }) => instanceId)))
      .apply((instances) => ({ kind: "aliyun" as const, region: options.region, instances })),
    machines: [...network.rules, ...nodes.map(({ ready }) => ready), ...nas.ready, balancer],
    privateKey,
  };
}
