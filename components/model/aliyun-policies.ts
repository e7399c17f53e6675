import { type AliyunOptions, bucketName, recordPrefix } from "./aliyun.ts";

/** A statement of a RAM policy that allows something. */
export interface Statement {
  Effect: "Allow";
  Action: string[];
  Resource: string[];
}

const allow = (Action: string[], ...Resource: string[]): Statement => ({ Effect: "Allow", Action, Resource });
const bucket = (name: string) => `acs:oss:*:*:${name}`;

/** What the nodes may: the record and backups. They never delete a backup, nor an entry of the record. */
export function nodeStatements(stack: string, options: Pick<AliyunOptions, "bucketSuffix">): Statement[] {
  const record = bucket(bucketName(stack, "record", options));
  const backup = bucket(bucketName(stack, "backup", options));
  return [
    allow(["oss:ListObjects"], record, backup),
    allow(["oss:GetObject", "oss:PutObject"], `${record}/*`, `${backup}/*`),
    // Trials beside the record, and the mark that it has moved away.
    allow(["oss:DeleteObject"], `${record}/${recordPrefix}.*`, `${record}/${recordPrefix}/moved`),
    allow(["oss:AbortMultipartUpload", "oss:ListParts"], `${backup}/*`),
  ];
}

/** What Harbor's registry may with its key: everything with images, and nothing else. */
export function registryStatements(stack: string, options: Pick<AliyunOptions, "bucketSuffix">): Statement[] {
  const images = bucket(bucketName(stack, "images", options));
  return [
    allow(["oss:ListObjects", "oss:ListMultipartUploads"], images),
    allow(
      ["oss:GetObject", "oss:PutObject", "oss:DeleteObject", "oss:AbortMultipartUpload", "oss:ListParts"],
      `${images}/*`,
    ),
  ];
}

/** What whoever runs `harbor-ha` may: stop a lost node, and learn that it has stopped. `instances`: their ids. */
export const fenceStatements = (instances: string[]): Statement[] => [
  // Looking cannot be limited to some instances.
  allow(["ecs:DescribeInstances"], "*"),
  allow(["ecs:StopInstance"], ...instances.map((id) => `acs:ecs:*:*:instance/${id}`)),
];

/** What `up` needs besides making resources: the host keys of new instances. */
export const hostKeyStatements: Statement[] = [allow(["ecs:RunCommand", "ecs:DescribeInvocationResults"], "*")];

/** The document of a policy. */
export const policyDocument = (statements: Statement[]): string =>
  JSON.stringify({ Version: "1", Statement: statements });

/** Who may take a role: ECS instances. */
export const instanceTrust = JSON.stringify({
  Version: "1",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: ["ecs.aliyuncs.com"] } }],
});
