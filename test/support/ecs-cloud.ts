import { createServer, type IncomingMessage, type Server } from "node:http";
import { onTestFinished } from "vitest";
import type { Inventory } from "../../components/model/inventory.ts";
import { sampleInventory } from "./sample.ts";

/** Those that the requests are signed with; of this sample alone. */
export const secrets = { id: "SampleAccessKeyId", secret: "sample-key-secret", token: "sample-security-token" };

export interface Asked {
  action: string;
  query: Record<string, string>;
  headers: IncomingMessage["headers"];
}
/** A status and a body; or what a network does instead. */
export type Answer = [status: number, body: object | string] | "silence" | "reset" | "half";
export type State = "Pending" | "Starting" | "Running" | "Stopping" | "Stopped";

let server: Server | undefined;
export function closeCloud() {
  server?.closeAllConnections();
  server?.close();
}

/** The ECS API of one region. @returns an inventory whose fence asks it, and what it was asked. */
export async function cloud(answer: (asked: Asked, number: number) => Answer) {
  const asked: Asked[] = [];
  server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://ecs");
    const { headers } = request;
    asked.push({ action: `${headers["x-acs-action"]}`, query: Object.fromEntries(searchParams), headers });
    const reply = answer(asked.at(-1) as Asked, asked.length);
    if (reply === "reset") request.socket.destroy();
    if (reply === "half") response.writeHead(200).write('{"RequestId":');
    if (typeof reply === "string") return;
    const [status, body] = reply;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    response.writeHead(status, { "Content-Type": "application/json" }).end(text);
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  onTestFinished(closeCloud);
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("no port");
  const inventory: Inventory = {
    ...sampleInventory(),
    fence: {
      kind: "aliyun",
      region: "cn-hangzhou",
      endpoint: `http://127.0.0.1:${address.port}`,
      instances: { node1: "i-bp1one", node2: "i-bp1two" },
    },
  };
  return { asked, inventory };
}

/** As the API says no, with the text that carries most: it repeats what was signed. */
export const refusal = (code: string, { headers }: Asked, status = 403): Answer => [
  status,
  {
    RequestId: "1C488B66-B819",
    Code: code,
    Message: `server string to sign is: ${headers.authorization} ${Object.values(secrets).join()}`,
  },
];
export const accepted: Answer = [200, { RequestId: "473469C7-AA6F" }];

/** What DescribeInstances says of the instance that it is asked for. */
export function described({ query }: Asked, Status: string, addresses: Record<string, string> = {}): Answer {
  const [InstanceId = ""] = JSON.parse(query.InstanceIds ?? "[]") as string[];
  const known: Record<string, string> = { "i-bp1one": "10.231.77.11", "i-bp1two": "10.231.77.12", ...addresses };
  const address = known[InstanceId];
  if (!address) return [200, { RequestId: "1", Instances: { Instance: [] } }];
  const VpcAttributes = { VpcId: "vpc-1", PrivateIpAddress: { IpAddress: [address] } };
  const InnerIpAddress = { IpAddress: [] };
  return [200, { RequestId: "1", Instances: { Instance: [{ InstanceId, Status, VpcAttributes, InnerIpAddress }] } }];
}

/** An instance as it is: a state in passing lasts six requests. What is read of it is as many requests old as it has a past. */
export class Machine {
  state: State;
  private readonly past: State[];
  private age = 0;

  constructor(state: State, past: State[] = []) {
    this.state = state;
    this.past = [...past];
  }

  readonly answer = (asked: Asked): Answer => {
    const next: Partial<Record<State, State>> = { Pending: "Starting", Starting: "Running", Stopping: "Stopped" };
    if (++this.age >= 6) this.become(next[this.state] ?? this.state);
    this.past.push(this.state);
    const read = this.past.shift() as State;
    if (asked.action === "DescribeInstances") return described(asked, read);
    if (this.state !== "Running") return refusal("IncorrectInstanceStatus", asked);
    this.become("Stopping");
    return accepted;
  };

  private become(state: State) {
    this.age = 0;
    this.state = state;
  }
}
