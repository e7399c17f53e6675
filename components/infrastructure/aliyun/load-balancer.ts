import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { AliyunOptions } from "../../model/aliyun.ts";
import { ports } from "../../model/ports.ts";
import { closedGroup, ingress } from "./security-group.ts";

export interface LoadBalancerArgs {
  stack: string;
  options: AliyunOptions;
  vpcId: pulumi.Input<string>;
  switchIds: [pulumi.Input<string>, pulumi.Input<string>];
  instanceIds: pulumi.Input<string>[];
  /** Whether a client has to stay with one node, because the nodes see each other's files late (NFS). */
  affinity: boolean;
}

/** What a balancer asks each node, over plain HTTP: the agent says no when core is dead or clients are held off. */
const check = { path: "/endpoint", port: ports.roles, seconds: 5, failures: 2 };

/** TCP 443 in both zones; TLS goes through to Harbor. New accounts reach an NLB by a CNAME of their own domain only. */
export class LoadBalancer extends pulumi.ComponentResource {
  /** Name (NLB) or address (CLB) that the record of the hostname has to lead to. */
  readonly address: pulumi.Output<string>;

  constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:aliyun:LoadBalancer", name, {}, opts);
    this.address = args.options.loadBalancer.kind === "nlb" ? this.nlb(args) : this.clb(args);
    this.registerOutputs({});
  }

  private nlb({ stack, options, vpcId, switchIds, instanceIds, affinity }: LoadBalancerArgs) {
    const { tags, protect, zones, loadBalancer, clients } = options;
    const doors = closedGroup(this, "nlb", { vpcId, securityGroupName: `harbor-ha-${stack}-nlb`, tags });
    const opened = clients.map((cidrIp) => ingress(this, "clients-of-nlb", doors.id, 443, cidrIp));
    const balancer = new alicloud.nlb.LoadBalancer(
      "nlb",
      {
        loadBalancerName: `harbor-ha-${stack}`,
        addressType: loadBalancer.public ? "Internet" : "Intranet",
        vpcId,
        zoneMappings: [
          { zoneId: zones[0], vswitchId: switchIds[0] },
          { zoneId: zones[1], vswitchId: switchIds[1] },
        ],
        crossZoneEnabled: true,
        securityGroupIds: [doors.id],
        deletionProtectionEnabled: protect,
        ...(protect ? { deletionProtectionReason: "clients find Harbor here" } : {}),
        tags,
      },
      { parent: this, protect, dependsOn: opened },
    );
    const group = new alicloud.nlb.ServerGroup(
      "nlb",
      {
        serverGroupName: `harbor-ha-${stack}`,
        vpcId,
        serverGroupType: "Instance",
        protocol: "TCP",
        scheduler: affinity ? "Sch" : "Wlc",
        // With the clients' addresses kept, the nodes' own public addresses would have to be open to all clients too.
        preserveClientIpEnabled: false,
        connectionDrainEnabled: true,
        connectionDrainTimeout: 60,
        healthCheck: {
          healthCheckEnabled: true,
          healthCheckType: "HTTP",
          healthCheckUrl: check.path,
          healthCheckConnectPort: check.port,
          healthCheckHttpCodes: ["http_2xx"],
          httpCheckMethod: "GET",
          healthCheckInterval: check.seconds,
          healthCheckConnectTimeout: check.seconds,
          healthyThreshold: check.failures,
          unhealthyThreshold: check.failures,
        },
        tags,
      },
      { parent: this },
    );
    const members = instanceIds.map(
      (serverId, index) =>
        new alicloud.nlb.ServerGroupServerAttachment(
          `nlb-node${index + 1}`,
          { serverGroupId: group.id, serverId, serverType: "Ecs", port: ports.harborHttps, weight: 100 },
          { parent: this },
        ),
    );
    new alicloud.nlb.Listener(
      "nlb",
      {
        loadBalancerId: balancer.id,
        listenerPort: 443,
        listenerProtocol: "TCP",
        serverGroupId: group.id,
        idleTimeout: 900,
        listenerDescription: `harbor-ha ${stack}`,
        tags,
      },
      { parent: this, dependsOn: members },
    );
    return balancer.dnsName;
  }

  private clb({ stack, options, switchIds, instanceIds, affinity }: LoadBalancerArgs) {
    const { tags, protect, zones, loadBalancer } = options;
    const balancer = new alicloud.slb.ApplicationLoadBalancer(
      "clb",
      {
        loadBalancerName: `harbor-ha-${stack}`,
        addressType: loadBalancer.public ? "internet" : "intranet",
        ...(loadBalancer.public ? { internetChargeType: "PayByTraffic" } : { vswitchId: switchIds[0] }),
        instanceChargeType: "PayByCLCU",
        paymentType: "PayAsYouGo",
        masterZoneId: zones[0],
        slaveZoneId: zones[1],
        deleteProtection: protect ? "on" : "off",
        tags,
      },
      { parent: this, protect },
    );
    const group = new alicloud.slb.ServerGroup(
      "clb",
      { loadBalancerId: balancer.id, name: `harbor-ha-${stack}`, tags },
      { parent: this },
    );
    const members = instanceIds.map(
      (serverId, index) =>
        new alicloud.slb.ServerGroupServerAttachment(
          `clb-node${index + 1}`,
          { serverGroupId: group.id, serverId, port: ports.harborHttps, weight: 100 },
          { parent: this },
        ),
    );
    new alicloud.slb.Listener(
      "clb",
      {
        loadBalancerId: balancer.id,
        frontendPort: 443,
        protocol: "tcp",
        serverGroupId: group.id,
        bandwidth: -1,
        scheduler: "wrr",
        persistenceTimeout: affinity ? 3600 : 0,
        establishedTimeout: 900,
        healthCheckType: "http",
        healthCheckUri: check.path,
        healthCheckConnectPort: check.port,
        healthCheckHttpCode: "http_2xx",
        healthCheckMethod: "get",
        healthCheckInterval: check.seconds,
        healthCheckTimeout: check.seconds,
        healthyThreshold: check.failures,
        unhealthyThreshold: check.failures,
        description: `harbor-ha ${stack}`,
      },
      // A member that comes after its listener may be lost.
      { parent: this, dependsOn: members },
    );
    return balancer.address;
  }
}
