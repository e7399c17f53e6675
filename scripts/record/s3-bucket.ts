import { AwsClient } from "aws4fetch";
import type { RecordAccess } from "../../components/model/record.ts";
import type { Bucket } from "./object-store.ts";

/** A bucket of an S3-compatible service that knows `If-None-Match: *`. */
export function s3Bucket(place: Extract<RecordAccess, { kind: "s3" }>): Bucket {
  const { accessKeyId, secretAccessKey, region, bucket, endpoint } = place;
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3", retries: 0 });
  return {
    name: bucket,
    endpoint,
    createOnly: { "If-None-Match": "*" },
    refusal: (status) => (status === 412 ? "exists" : status === 409 ? "undecided" : undefined),
    fetch(method, key, query, init) {
      const search = new URLSearchParams(query).toString();
      const url = `${endpoint.replace(/\/$/, "")}/${bucket}/${key}${search && `?${search}`}`;
      return client.fetch(url, { method, ...init });
    },
  };
}
