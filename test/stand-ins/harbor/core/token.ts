import { createPrivateKey, createPublicKey, createSign, createVerify, type KeyObject, randomUUID } from "node:crypto";

export interface Access {
  type: string;
  name: string;
  actions: string[];
}
export interface Claims {
  sub: string;
  access: Access[];
  exp: number;
  nbf: number;
  iss: string;
  aud: string;
}

const issuer = "harbor-token-issuer";
const service = "harbor-registry";
const leeway = 60;

/** Docker tokens, RS256, valid for half an hour at every core that has the same private key. */
export class TokenMaker {
  readonly #key: KeyObject;
  readonly #publicKey: KeyObject;

  constructor(pem: string) {
    if (!pem.includes("BEGIN RSA PRIVATE KEY")) throw new Error("private_key.pem must be a PKCS#1 RSA key");
    this.#key = createPrivateKey(pem);
    this.#publicKey = createPublicKey(this.#key);
  }

  sign(user: string, access: Access[], now = Date.now() / 1000) {
    const start = Math.floor(now);
    const claims = { iss: issuer, sub: user, aud: service, exp: start + 1800, nbf: start, iat: start, access };
    const body = `${encode({ typ: "JWT", alg: "RS256" })}.${encode({ ...claims, jti: randomUUID() })}`;
    return `${body}.${createSign("RSA-SHA256").update(body).sign(this.#key, "base64url")}`;
  }

  /** The claims, or undefined for a token that is foreign, damaged or out of date. */
  verify(token: string, now = Date.now() / 1000): Claims | undefined {
    const [header, body, signature] = token.split(".");
    if (!header || !body || !signature) return undefined;
    const verified = createVerify("RSA-SHA256")
      .update(`${header}.${body}`)
      .verify(this.#publicKey, signature, "base64url");
    if (!verified) return undefined;
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Claims;
    const inTime = claims.exp + leeway > now && claims.nbf - leeway < now;
    return inTime && claims.iss === issuer && claims.aud === service ? claims : undefined;
  }
}

/** "repository:library/app:pull,push" as the access that the user has of it; unknown projects give nothing. */
export function grant(scope: string, isAdmin: boolean, projects: Map<string, { public: boolean }>): Access {
  const [type = "", ...rest] = scope.split(":");
  const wanted = (rest.pop() ?? "").split(",").filter(Boolean);
  const name = rest.join(":");
  const project = projects.get(name.split("/")[0] ?? "");
  let allowed: string[] = [];
  if (type === "repository" && project) allowed = isAdmin ? ["pull", "push", "delete"] : project.public ? ["pull"] : [];
  if (type === "registry" && isAdmin) allowed = ["*"];
  return { type, name, actions: wanted.flatMap((a) => (a === "*" ? allowed : a)).filter((a) => allowed.includes(a)) };
}

export function allows(access: Access[], repository: string, action: string) {
  return access.some((a) => a.type === "repository" && a.name === repository && a.actions.includes(action));
}

function encode(value: unknown) {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
