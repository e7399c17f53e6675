import * as pulumi from "@pulumi/pulumi";

/** A resource that a program has asked for, with resolved inputs. */
export interface Asked {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** Pulumi refuses to delete or replace it. */
  protect: boolean;
  /** `destroy` leaves it where it is. */
  retain: boolean;
}

type Request = Parameters<NonNullable<ReturnType<typeof pulumi.runtime.getMonitor>>["registerResource"]>[0];

/** What a cloud would add to a resource's inputs. */
const answers: Record<string, (name: string) => object> = {
  "alicloud:ecs/eipAddress:EipAddress": (name) => ({ ipAddress: name === "node1" ? "198.51.100.1" : "198.51.100.2" }),
  "alicloud:nlb/loadBalancer:LoadBalancer": () => ({ dnsName: "nlb-1.cn-hangzhou.nlb.aliyuncsslb.com" }),
  "alicloud:slb/applicationLoadBalancer:ApplicationLoadBalancer": () => ({ address: "198.51.100.3" }),
  "alicloud:nas/mountTarget:MountTarget": () => ({ mountTargetDomain: "1ab-xyz.cn-hangzhou.nas.aliyuncs.com" }),
  "alicloud:kvstore/instance:Instance": () => ({ connectionDomain: "r-bp1.redis.rds.aliyuncs.com" }),
  "alicloud:rds/instance:Instance": () => ({ connectionString: "pgm-bp1.pg.rds.aliyuncs.com" }),
  "alicloud:ram/accessKey:AccessKey": () => ({ secret: "made-by-the-cloud" }),
  "command:local:Command": (name) => (name.endsWith("-host-key") ? { stdout: "ssh-ed25519 AAAAhost\n" } : {}),
};

const ids: Record<string, string> = {
  "alicloud:ecs/instance:Instance": "i-bp1",
  "alicloud:ecs/ecsDisk:EcsDisk": "d-bp1",
  // A role's id is its name.
  "alicloud:ram/role:Role": "harbor-ha-prod-",
};

/** Runs a piece of a Pulumi program without an engine, with the real SDK's types. @returns what it asked for, in order. */
export async function graphOf<T>(build: () => T): Promise<{ asked: Asked[]; built: T }> {
  const asked: Asked[] = [];
  const held = new Map<string, Pick<Asked, "protect" | "retain">>();
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        asked.push({ type, name, inputs, ...(held.get(`${type} ${name}`) ?? { protect: false, retain: false }) });
        const state = { ...inputs, ...answers[type]?.(name) };
        return { id: `${ids[type] ?? ""}${name}`, state };
      },
      call: ({ token }) => {
        throw new Error(`the program asks the cloud: ${token}`);
      },
    },
    "harbor-ha",
    "prod",
    false,
  );
  noteOptions(held);
  try {
    return { asked, built: build() };
  } finally {
    await pulumi.runtime.disconnect();
  }
}

/** What mocks are not told: the options that hold a resource. */
function noteOptions(held: Map<string, Pick<Asked, "protect" | "retain">>): void {
  const monitor = pulumi.runtime.getMonitor();
  if (!monitor) throw new Error("no mocks");
  const { registerResource } = monitor;
  monitor.registerResource = ((request: Request, ...rest: unknown[]) => {
    held.set(`${request.getType()} ${request.getName()}`, {
      protect: request.getProtect() ?? false,
      retain: request.getRetainondelete() ?? false,
    });
    return Reflect.apply(registerResource, monitor, [request, ...rest]);
  }) as typeof registerResource;
}

/** The value of an output. */
export const resolved = <T>(output: pulumi.Input<T>): Promise<T> =>
  new Promise((resolve) => pulumi.output(output).apply((value) => resolve(value as T)));
