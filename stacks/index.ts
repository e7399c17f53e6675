import * as pulumi from "@pulumi/pulumi";
import { HarborCluster } from "../components/harbor-cluster.ts";
import { targets } from "../components/infrastructure/targets.ts";
import { withManagedServers } from "../components/model/aliyun.ts";
import { formatProblems } from "../components/model/problems.ts";
import { readConfig } from "./config.ts";

/** The stack: reads the configuration, builds the pair, returns the outputs. */
export async function program() {
  const raw = pulumi.runtime.allConfig();
  // The engine hands decrypted values over in this variable: no child of the program may inherit it.
  delete process.env.PULUMI_CONFIG;
  const result = readConfig(raw, pulumi.getProject());
  if ("problems" in result) throw new pulumi.RunError(formatProblems(result.problems));

  const config = withManagedServers(pulumi.getStack(), result.config);
  const infrastructure = await targets[config.target]();
  const cluster = new HarborCluster(pulumi.getStack(), { config, infrastructure });
  return {
    endpoint: cluster.endpoint,
    inventory: cluster.inventory,
    runbook: cluster.runbook,
    initialAdminPassword: cluster.initialAdminPassword,
    caCertificate: cluster.caCertificate,
    rolled: cluster.rolled,
    ...(cluster.loadBalancer ? { loadBalancer: cluster.loadBalancer } : {}),
    ...(cluster.operation ? { operation: cluster.operation } : {}),
  };
}
