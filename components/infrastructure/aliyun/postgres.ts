import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { type AliyunOptions, nodeAddresses, type RdsOptions } from "../../model/aliyun.ts";

export interface PostgresArgs {
  stack: string;
  options: AliyunOptions;
  postgres: RdsOptions;
  /** Database and role that owns it. */
  database: string;
  user: string;
  password: string;
  switchIds: [pulumi.Input<string>, pulumi.Input<string>];
  /** Zone of private names, in which it becomes `postgres`. */
  zoneId: pulumi.Input<string>;
}

/**
 * RDS PostgreSQL in two zones with TLS, backups of a fortnight and point-in-time recovery, that only the two nodes reach. Another
 * class changes in place, and its disk grows by itself; another zone or engine would replace it, and lose what was not copied.
 */
export class Postgres extends pulumi.ComponentResource {
  /** What has to be there before it is used. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    super("harbor-ha:aliyun:Postgres", name, {}, opts);
    const { stack, options, postgres, database, user, password, switchIds, zoneId } = args;
    const { zones, protect, tags } = options;
    const kept = { parent: this, protect, retainOnDelete: protect };
    const instance = new alicloud.rds.Instance(
      "postgres",
      {
        instanceName: `harbor-ha-${stack}`,
        engine: "PostgreSQL",
        engineVersion: postgres.version,
        category: "HighAvailability",
        instanceType: postgres.instanceType,
        instanceStorage: postgres.storageGb,
        dbInstanceStorageType: "cloud_essd",
        instanceChargeType: "Postpaid",
        zoneId: zones[0],
        zoneIdSlaveA: zones[1],
        vswitchId: pulumi.interpolate`${switchIds[0]},${switchIds[1]}`,
        securityIps: nodeAddresses(options),
        encryptionKey: "ServiceKey",
        sslAction: "Open",
        storageAutoScale: "Enable",
        storageThreshold: 30,
        storageUpperBound: Math.max(postgres.storageGb * 4, 200),
        deletionProtection: protect,
        // As the provider spells it.
        releasedKeepPolicy: "Lastest",
        tags,
      },
      kept,
    );
    const backups = new alicloud.rds.BackupPolicy(
      "postgres",
      {
        instanceId: instance.id,
        preferredBackupPeriods: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
        preferredBackupTime: "18:00Z-19:00Z",
        backupRetentionPeriod: 14,
        enableBackupLog: true,
        logBackupRetentionPeriod: 14,
      },
      { parent: this },
    );
    // One after the other: the instance refuses two changes at once.
    const account = new alicloud.rds.RdsAccount(
      "postgres",
      { dbInstanceId: instance.id, accountName: user, accountPassword: password, accountType: "Normal" },
      { parent: this, dependsOn: backups },
    );
    const made = new alicloud.rds.Database(
      "postgres",
      { instanceId: instance.id, dataBaseName: database, characterSet: "UTF8,C,en_US.utf8" },
      { ...kept, dependsOn: account },
    );
    // Owner of the database, and so of its schema: Harbor makes its tables itself.
    const owner = new alicloud.rds.AccountPrivilege(
      "postgres",
      { instanceId: instance.id, accountName: user, privilege: "DBOwner", dbNames: [database] },
      { parent: this, dependsOn: made },
    );
    const record = new alicloud.pvtz.ZoneRecord(
      "postgres",
      { zoneId, rr: "postgres", type: "CNAME", value: instance.connectionString, ttl: 60 },
      { parent: this },
    );
    this.ready = [owner, record];
    this.registerOutputs({});
  }
}
