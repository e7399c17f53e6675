import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { type AliyunOptions, type BucketUse, bucketName, recordPrefix } from "../../model/aliyun.ts";

export interface BucketArgs {
  stack: string;
  options: AliyunOptions;
  use: BucketUse;
}

/** Days in which something overwritten or deleted can be brought back. The record needs a bucket without versions. */
const keptDays: Record<BucketUse, number | undefined> = { record: undefined, images: 7, backup: 30 };

/**
 * A private, encrypted bucket in all zones of the region. Replacing it loses what is in it: protected, and kept on `destroy`,
 * until somebody switches `protect` off.
 */
export class Bucket extends pulumi.ComponentResource {
  /** What has to be there before it is used. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: BucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:aliyun:Bucket", name, {}, opts);
    const { stack, options, use } = args;
    const { protect, tags } = options;
    const kept = keptDays[use];
    const bucket = new alicloud.oss.Bucket(
      use,
      {
        bucket: bucketName(stack, use, options),
        storageClass: "Standard",
        redundancyType: "ZRS",
        // OSS' own key: no KMS instance to pay for, nor to lose.
        serverSideEncryptionRule: { sseAlgorithm: "AES256" },
        ...(kept === undefined ? {} : { versioning: { status: "Enabled" } }),
        lifecycleRules: [
          {
            id: "leftovers",
            enabled: true,
            prefix: "",
            abortMultipartUploads: [{ days: 7 }],
            ...(kept === undefined ? {} : { noncurrentVersionExpirations: [{ days: kept }] }),
          },
        ],
        // Backups go only where somebody has emptied the bucket by hand.
        forceDestroy: use !== "backup" && !protect,
        tags,
      },
      { parent: this, protect, retainOnDelete: protect },
    );
    // A bucket that is kept stays closed.
    const asBucket = { parent: this, retainOnDelete: protect };
    const closed = [
      new alicloud.oss.BucketAcl(use, { bucket: bucket.id, acl: "private" }, asBucket),
      new alicloud.oss.BucketPublicAccessBlock(use, { bucket: bucket.id, blockPublicAccess: true }, asBucket),
    ];
    // Whoever writes: no entry of the record is ever replaced.
    const final =
      use === "record"
        ? [
            new alicloud.oss.BucketOverwriteConfig(
              use,
              {
                bucket: bucket.id,
                // Everybody: no principal, said as the provider reads it, lest each `up` says it again.
                rules: [{ id: "entries", action: "forbid", prefix: `${recordPrefix}/`, principals: {} }],
              },
              asBucket,
            ),
          ]
        : [];
    this.ready = [bucket, ...closed, ...final];
    this.registerOutputs({});
  }
}
