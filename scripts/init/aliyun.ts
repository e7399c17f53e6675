import { randomInt } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { stackNameProblem } from "../../components/model/aliyun.ts";
import { describeIssues, formatProblems } from "../../components/model/problems.ts";
import { aliyunOptions } from "../../stacks/aliyun-config.ts";
import { askAccount } from "../aliyun/account.ts";
import { CloudFault } from "../aliyun/cloud-api.ts";
import { projectDirectory } from "../paths.ts";
import { UserError } from "../user-error.ts";

/** What `init` is told. */
export interface AliyunWishes {
  region: string;
  /** Networks from which SSH is allowed; the clients' too unless told otherwise. */
  administrators: string[];
  clients?: string[];
  /** File of the public key that may log in. */
  publicKeyFile?: string;
}

/** Every leaf of `aliyun` that `init` sets, by path: what only the account knows, and what only its user knows. */
export type AliyunSettings = [path: string, value: string][];

/**
 * Asks the account once, so that no later command has to.
 * @throws UserError with everything that is wrong, before anything is made.
 */
export async function aliyunSettings(
  stack: string,
  wishes: AliyunWishes,
  log: (line: string) => void,
  ask = askAccount,
): Promise<AliyunSettings> {
  const problem = stackNameProblem(stack);
  if (problem) throw new UserError(problem, 2);
  const publicKey = readPublicKey(wishes.publicKeyFile);
  log(`Asking the account what ${wishes.region} sells …`);
  const { diskCategory } = aliyunOptions.shape;
  const account = await ask(wishes.region, diskCategory.parse(undefined), log).catch((error) => {
    if (error instanceof CloudFault) throw new UserError(`${error.message} → ${error.remedy} [${error.id}]`);
    throw error;
  });
  const options = {
    region: wishes.region,
    ...account,
    administrators: wishes.administrators,
    clients: wishes.clients ?? wishes.administrators,
    publicKey,
    bucketSuffix: Array.from({ length: 6 }, () => "abcdefghijkmnpqrstuvwxyz23456789"[randomInt(32)]).join(""),
  };
  const whole = z.object({ aliyun: aliyunOptions });
  const checked = whole.safeParse({ aliyun: options });
  if (!checked.success) throw new UserError(formatProblems(describeIssues(checked.error, whole)), 2);
  return Object.entries(options).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((item, index): [string, string] => [`aliyun.${name}[${index}]`, item])
      : [[`aliyun.${name}`, value] as [string, string]],
  );
}

/** Whether a stack's file holds the answers already: the last of them is there. */
export function isAnswered(stack: string, directory = projectDirectory): boolean {
  const file = join(directory, `Pulumi.${stack}.yaml`);
  return existsSync(file) && /^\s+bucketSuffix:/m.test(readFileSync(file, "utf8"));
}

/** The options that settings make: as what `explain` and the cost cap see before anything is written. */
export function optionsIn(settings: AliyunSettings) {
  const options: Record<string, string | string[]> = {};
  for (const [path, value] of settings) {
    const [, name = "", index] = /^aliyun\.(\w+)(?:\[(\d+)\])?$/.exec(path) ?? [];
    options[name] = index === undefined ? value : [...((options[name] as string[] | undefined) ?? []), value];
  }
  return aliyunOptions.parse(options);
}

function readPublicKey(file?: string): string {
  const usual = ["id_rsa.pub", "id_ecdsa.pub"].map((name) => join(homedir(), ".ssh", name));
  const path = file ?? usual.find((candidate) => existsSync(candidate));
  if (!path)
    throw new UserError(
      `there is no RSA or ECDSA key in ${join(homedir(), ".ssh")} (ECS takes no other): make one (ssh-keygen -t rsa -b 4096), or name one with --public-key`,
      2,
    );
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    throw new UserError(`${path} cannot be read: name the public key with --public-key`, 2);
  }
}
