import * as pulumi from "@pulumi/pulumi";
import type { AliyunOptions } from "../../model/aliyun.ts";

/** A resource as previews show it, e.g. `alicloud:nlb:Listener nlb`. */
const shown = (type: string, name: string) => `${type.replace(/\/[^:]+/, "")} ${name}`;

/**
 * The way out for whoever needs an argument that no option sets: `aliyun.arguments` has the last word on every resource.
 * `transformation` goes into the options of all of them.
 */
export class OwnArguments {
  readonly transformation: pulumi.ResourceTransformation;
  private readonly unused: Set<string>;
  private readonly met: string[] = [];

  constructor(wishes: AliyunOptions["arguments"]) {
    this.unused = new Set(Object.keys(wishes));
    this.transformation = ({ type, name, props, opts }) => {
      const key = shown(type, name);
      if (type.startsWith("alicloud:")) this.met.push(key);
      this.unused.delete(key);
      return wishes[key] && { props: { ...props, ...wishes[key] }, opts };
    };
  }

  /** @throws RunError when all resources have been asked for and a wish met none. */
  check(): void {
    const [wish] = this.unused;
    if (wish !== undefined)
      throw new pulumi.RunError(
        `harbor-ha:aliyun.arguments: there is no resource "${wish}": the names are those that \`pulumi preview\` shows, here ${this.met.join(", ")}`,
      );
  }
}
