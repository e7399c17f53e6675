import { dataServices, type Topology } from "../../components/model/topology.ts";
import { redisMaster } from "../../components/model/units.ts";
import type { NodeObservation } from "./observe.ts";

/** A node's part in the pair, by the service that leads there. */
export interface Role {
  /** As what the server runs; `silent`: it is there, but does not answer. */
  runs: "primary" | "standby" | "down" | "silent" | "unknown";
  /** Whose data lies there, whether a server runs or not. */
  data: "primary" | "standby" | "none";
}

/** PostgreSQL leads where it runs on the nodes, else Redis. */
export function roleOf(topology: Pick<Topology, "database" | "redis">, { host }: NodeObservation): Role {
  if (!host) return { runs: "unknown", data: "none" };
  const { postgres, redis } = host;
  if (dataServices(topology)[0] === "postgres")
    return {
      runs: postgres.role,
      data: postgres.data !== "present" ? "none" : postgres.standbySignal ? "standby" : "primary",
    };
  return {
    runs: redis.role === "master" ? "primary" : redis.role === "slave" ? "standby" : "down",
    data: redis.configured === "" ? "none" : redis.configured === redisMaster ? "primary" : "standby",
  };
}

/** Whether the standby gets what the primary writes right now. */
export function follows(
  topology: Pick<Topology, "database" | "redis">,
  primary: NodeObservation,
  standby: NodeObservation,
): boolean {
  return dataServices(topology)[0] === "postgres" ? streams(primary, standby) : standby.redis?.linkUp === true;
}

/** Whether the primary sends its WAL to the standby right now. */
export const streams = (primary: NodeObservation, standby: NodeObservation): boolean =>
  primary.postgres?.standbys.some(({ name, state }) => name === standby.name && state === "streaming") === true;
