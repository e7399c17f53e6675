import { type AliyunOptions, bucketName, recordPrefix } from "./aliyun.ts";

/** A statement of a RAM policy that allows something. */
export interface Statement {
  Effect: "Allow";
  Action: string[];
  Resource: string[];
  Condition?: { StringEquals: { "ram:ServiceName": string[] } };
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

/**
 * What `pulumi up` changes in an account, by service: the requests that the provider was seen to make (2026-11) for every example and
 * for changes of it; those to CLB (slb) by the provider's source.
 */
const making = {
  ecs: `AttachDisk AttachInstanceRamRole AuthorizeSecurityGroup CreateDisk CreateSecurityGroup DetachDisk DetachInstanceRamRole
    ImportKeyPair ModifyInstanceAttribute ModifyInstanceMaintenanceAttributes ModifyInstanceMetadataOptions ModifyInstanceSpec
    ModifyDiskAttribute ModifyDiskSpec ModifySecurityGroupPolicy ModifySecurityGroupRule ResizeDisk RevokeSecurityGroup RunCommand RunInstances StartInstance StopInstance TagResources UntagResources`,
  vpc: `AllocateEipAddress AssociateEipAddress CreateVSwitch CreateVpc DeletionProtection TagResources UnTagResources
    UnassociateEipAddress`,
  nlb: `AddServersToServerGroup CreateListener CreateLoadBalancer CreateServerGroup DeleteListener LoadBalancerJoinSecurityGroup
    LoadBalancerLeaveSecurityGroup RemoveServersFromServerGroup
    TagResources UntagResources UpdateListenerAttribute UpdateLoadBalancerAddressTypeConfig UpdateLoadBalancerAttribute
    UpdateLoadBalancerProtection UpdateServerGroupAttribute`,
  slb: `AddVServerGroupBackendServers CreateLoadBalancer CreateLoadBalancerTCPListener CreateVServerGroup DeleteLoadBalancerListener
    DeleteVServerGroup RemoveVServerGroupBackendServers SetLoadBalancerDeleteProtection SetLoadBalancerName
    SetLoadBalancerTCPListenerAttribute StartLoadBalancerListener TagResources UntagResources`,
  nas: `CreateAccessGroup CreateAccessRule CreateFileSystem CreateMountTarget DeleteAccessRule EnableRecycleBin TagResources
    UntagResources`,
  pvtz: `AddZone AddZoneRecord BindZoneVpc DeleteZoneRecord SetZoneRecordStatus TagResources UnTagResources UpdateZoneRecord
    UpdateZoneRemark`,
  kvstore: `CreateInstance ModifyBackupPolicy ModifyInstanceAttribute ModifyInstanceConfig ModifyInstanceSpec
    ModifyInstanceVpcAuthMode ModifySecurityIps TagResources UntagResources`,
  rds: `CreateAccount CreateDBInstance CreateDatabase GrantAccountPrivilege ModifyBackupPolicy
    ModifyDBInstanceDeletionProtection ModifyDBInstanceSSL ModifyDBInstanceSpec ModifyDasInstanceConfig ModifySecurityIps
    TagResources UnTagResources`,
};

/** What `pulumi destroy` needs besides, once `protect` is off. */
const unmaking: Record<keyof typeof making, string> = {
  ecs: "DeleteDisk DeleteInstance DeleteKeyPairs DeleteSecurityGroup",
  vpc: "DeleteVSwitch DeleteVpc ReleaseEipAddress",
  nlb: "DeleteLoadBalancer DeleteServerGroup",
  slb: "DeleteLoadBalancer",
  nas: "DeleteAccessGroup DeleteFileSystem DeleteMountTarget",
  pvtz: "DeleteZone",
  kvstore: "DeleteInstance",
  rds: "DeleteAccount DeleteDBInstance DeleteDatabase RevokeAccountPrivilege",
};

/** What `up` does with the stack's own buckets, roles and policies, which alone can be limited to its names. */
const makingNamed = {
  oss: `GetBucket* PutBucket PutBucketAcl PutBucketLifecycle PutBucketOverwriteConfig PutBucketPublicAccessBlock
    PutBucketTagging PutBucketVersioning`,
  ram: `AttachPolicyToRole AttachPolicyToUser CreateAccessKey CreatePolicy CreatePolicyVersion CreateRole CreateUser
    DeletePolicyVersion PassRole TagResources UntagResources UpdateRole UpdateUser`,
};
const unmakingNamed: Record<keyof typeof makingNamed, string> = {
  oss: `DeleteBucket DeleteBucketOverwriteConfig DeleteBucketPublicAccessBlock DeleteObject DeleteObjectVersion ListObjects
    ListObjectVersions`,
  ram: `DeleteAccessKey DeleteLoginProfile DeletePolicy DeleteRole DeleteUser DetachPolicyFromRole DetachPolicyFromUser
    UnbindMFADevice`,
};

/** What `init` asks an account once. */
export const initActions = [
  "ecs:DescribeAvailableResource",
  "ecs:DescribeImages",
  "nlb:DescribeZones",
  "nas:DescribeZones",
];

const serviceRoles = [
  "nlb.aliyuncs.com",
  "encryption.nas.aliyuncs.com",
  "r-kvstore.aliyuncs.com",
  "pgsql-onecs.rds.aliyuncs.com",
];

const actions = (service: string, names: string) => names.split(/\s+/).map((name) => `${service}:${name}`);

/**
 * What whoever runs `pulumi up` for a stack may, `init` before it and the fence after it included; with `destroy` also what takes it
 * down. Reading is allowed by pattern, changing by name. Most services limit by id alone, which a new stack does not know yet.
 */
export function operatorStatements(stack: string, { destroy }: { destroy: boolean }): Statement[] {
  const everywhere = Object.entries(making).flatMap(([service, names]) => [
    ...actions(service, names),
    ...(destroy ? actions(service, unmaking[service as keyof typeof making]) : []),
    ...["Describe*", "Get*", "List*"].map((pattern) => `${service}:${pattern}`),
  ]);
  const ofName = (service: keyof typeof makingNamed, ...resources: string[]) =>
    allow(
      [...actions(service, makingNamed[service]), ...(destroy ? actions(service, unmakingNamed[service]) : [])],
      ...resources,
    );
  const own = `harbor-ha-${stack}-*`;
  return [
    allow(everywhere, "*"),
    ofName("oss", bucket(own), bucket(`${own}/*`)),
    allow(["oss:ListBuckets"], "acs:oss:*:*:*"),
    // The provider lists all users to find one.
    allow(["ram:Get*", "ram:List*"], "acs:ram:*:*:*"),
    // The first balancer, encrypted share or managed server of an account makes that service's own role. From memory: no fake shows it.
    {
      ...allow(["ram:CreateServiceLinkedRole"], "*"),
      Condition: { StringEquals: { "ram:ServiceName": serviceRoles } },
    },
    ofName("ram", ...["role", "policy", "user"].map((kind) => `acs:ram:*:*:${kind}/${own}`)),
  ];
}

/** What whoever runs `harbor-ha failover` may: stop a lost node, and learn that it has stopped. `instances`: their ids. */
export const fenceStatements = (instances: string[]): Statement[] => [
  // Looking cannot be limited to some instances.
  allow(["ecs:DescribeInstances"], "*"),
  allow(["ecs:StopInstance"], ...instances.map((id) => `acs:ecs:*:*:instance/${id}`)),
];

/** The document of a policy. */
export const policyDocument = (statements: Statement[]): string =>
  JSON.stringify({ Version: "1", Statement: statements });

/** Who may take a role: ECS instances. */
export const instanceTrust = JSON.stringify({
  Version: "1",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: ["ecs.aliyuncs.com"] } }],
});
