import type { Examination } from "../../components/model/examination.ts";
import { hostPaths } from "../../components/model/paths.ts";
import type { Cluster } from "../cluster/observe.ts";
import type { Patient } from "./rules.ts";

/** The pair at one moment, looked at more closely than operations do: some seconds where something hangs. Reads only. */
export async function examinePair(cluster: Cluster): Promise<Patient> {
  const [observation, ...answers] = await Promise.all([
    cluster.observe(),
    ...[...cluster.hosts].map(async ([name, host]) => {
      const { status, stdout } = await host.run(`node ${hostPaths.programs}/agent.cjs examine`, { timeoutMs: 30_000 });
      return [name, status === 0 ? (JSON.parse(stdout) as Examination) : undefined] as const;
    }),
  ]);
  return { inventory: cluster.inventory, observation, examinations: Object.fromEntries(answers) };
}
