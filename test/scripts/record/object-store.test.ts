import { createServer, type IncomingMessage, type Server } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { ObjectStore } from "../../../scripts/record/object-store.ts";
import { ossBucket } from "../../../scripts/record/oss-bucket.ts";
import { RoleKeys } from "../../../scripts/record/role-keys.ts";
import { s3Bucket } from "../../../scripts/record/s3-bucket.ts";
import { provesExclusive, readRecord } from "../../../scripts/record/store.ts";

/** What an object storage can do to a PUT: keep the condition, ignore it, call two writers a conflict, refuse, or say nothing. */
type Manner = "keeps" | "ignores" | "conflicts" | "refuses" | "throttles" | "silent";

interface Service {
  /** Whether a request asks for an object that must not be there yet. */
  createsOnly(request: IncomingMessage): boolean;
  exists: [status: number, code: string];
  conflict: [status: number, code: string];
  store(address: string): ObjectStore;
}

const prefix = "pair/record";
const services: Record<string, Service> = {
  S3: {
    createsOnly: ({ headers }) => headers["if-none-match"] === "*",
    exists: [412, "PreconditionFailed"],
    conflict: [409, "ConditionalRequestConflict"],
    store: (endpoint) =>
      new ObjectStore(
        s3Bucket({
          kind: "s3",
          endpoint,
          region: "eu",
          bucket: "bucket",
          prefix,
          accessKeyId: "id",
          secretAccessKey: "secret",
        }),
        prefix,
      ),
  },
  OSS: {
    createsOnly: ({ headers }) =>
      headers["x-oss-forbid-overwrite"] === "true" && headers["x-oss-security-token"] === "token-1",
    exists: [409, "FileAlreadyExists"],
    conflict: [409, "OperationInProgress"],
    store: (address) => new ObjectStore(ossBucket(ossPlace(address), new RoleKeys("nodes", address)), prefix),
  },
};

const ossPlace = (address: string) => ({
  kind: "oss" as const,
  address,
  region: "cn-hangzhou",
  bucket: "bucket",
  prefix,
  role: "nodes",
});

let server: Server | undefined;
afterEach(() => server?.closeAllConnections());
afterEach(() => server?.close());

async function listen(answer: (request: IncomingMessage, response: import("node:http").ServerResponse) => void) {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

const roleAnswer = (expiration: Date, text = "token-1") => ({
  Code: "Success",
  AccessKeyId: "STS.id",
  AccessKeySecret: "secret",
  SecurityToken: text,
  Expiration: expiration.toISOString(),
});
const inAnHour = () => new Date(Date.now() + 3_600_000);

async function storage(service: Service, manner: Manner, pageSize = 1000): Promise<ObjectStore> {
  const objects = new Map<string, string>();
  const address = await listen((request, response) => {
    const url = new URL(request.url ?? "", "http://storage");
    const key = url.pathname.replace(/^\/(bucket\/)?/, "");
    const error = ([status, code]: [number, string]) =>
      response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`);
    if (url.pathname === "/latest/api/token") return response.end("metadata-token");
    if (url.pathname === "/latest/meta-data/ram/security-credentials/nodes")
      return request.headers["x-aliyun-ecs-metadata-token"] === "metadata-token"
        ? response.end(JSON.stringify(roleAnswer(inAnHour())))
        : response.writeHead(403).end();
    if (manner === "silent") return undefined;
    if (manner === "throttles") return error([503, "DownloadTrafficRateLimitExceeded"]);
    if (manner === "refuses" || !request.headers.authorization) return error([403, "AccessDenied"]);
    if (request.method === "PUT") {
      let text = "";
      request.on("data", (chunk) => (text += chunk));
      request.on("end", () => {
        if (objects.has(key) && manner !== "ignores" && service.createsOnly(request))
          return error(manner === "conflicts" ? service.conflict : service.exists);
        objects.set(key, text);
        return response.end();
      });
      return undefined;
    }
    if (request.method === "DELETE") {
      objects.delete(key);
      return response.writeHead(204).end();
    }
    if (!url.searchParams.has("list-type"))
      return objects.has(key) ? response.end(objects.get(key)) : error([404, "NoSuchKey"]);
    const from = url.searchParams.get("continuation-token") ?? url.searchParams.get("start-after") ?? "";
    const names = [...objects.keys()]
      .filter((name) => name.startsWith(url.searchParams.get("prefix") ?? "") && name > from)
      .sort();
    const page = names.slice(0, pageSize);
    const next = names.length > pageSize ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
    return response.end(
      `<ListBucketResult>${page.map((name) => `<Contents><Key>${name}</Key></Contents>`).join("")}${next}</ListBucketResult>`,
    );
  });
  return service.store(address);
}

describe.each(Object.entries(services))("%s", (_, service) => {
  test("a storage that keeps the condition is proven", async () => {
    expect(await provesExclusive(await storage(service, "keeps"))).toBe(true);
  });

  test("one that calls the second writer a conflict is proven too", async () => {
    expect(await provesExclusive(await storage(service, "conflicts"))).toBe(true);
  });

  test("one that ignores the condition is found out", async () => {
    expect(await provesExclusive(await storage(service, "ignores"))).toBe(false);
  });

  test("entries are found page by page, and from a number on", async () => {
    const store = await storage(service, "keeps", 3);
    for (let number = 1; number <= 10; number++) await store.create(number, `${number}`);
    expect(await store.numbers(0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await store.numbers(8)).toEqual([9, 10]);
    expect(await store.read(7)).toBe("7");
    await store.create(11, "11");
    expect(await store.numbers(11)).toEqual([]);
  });

  test("a record that was moved away is not read, until it is back", async () => {
    const store = await storage(service, "keeps");
    await store.create(1, "1");
    await store.seal(true);
    await expect(store.numbers(0)).rejects.toThrow(/was moved to another place/);
    await store.seal(false);
    expect(await store.numbers(0)).toEqual([1]);
  });

  test("an error names what was asked and the storage's own code", async () => {
    expect(await readRecord(await storage(service, "refuses"))).toEqual({
      state: "unreadable",
      reason: expect.stringMatching(/^the object storage answered 403 AccessDenied to GET bucket\/$/),
    });
  });

  test("a storage that is too busy is unreadable, not empty", async () => {
    expect(await readRecord(await storage(service, "throttles"))).toEqual({
      state: "unreadable",
      reason: expect.stringMatching(/answered 503 DownloadTrafficRateLimitExceeded/),
    });
  });

  test("a storage that says nothing is unreadable in time", async () => {
    expect(await readRecord(await storage(service, "silent"))).toEqual({
      state: "unreadable",
      reason: expect.stringMatching(/no answer in time$/),
    });
  }, 10_000);
});

describe("keys of the instance's role", () => {
  const metadata = (answer: () => [status: number, text: string]) =>
    listen((request, response) => {
      const [status, text] = request.url === "/latest/api/token" ? [200, "t"] : answer();
      response.writeHead(status).end(text);
    });

  test("are asked for once, and again before they end", async () => {
    let asked = 0;
    const keys = new RoleKeys(
      "nodes",
      await metadata(() => {
        asked++;
        const minutes = asked === 1 ? 5 : 60;
        return [200, JSON.stringify(roleAnswer(new Date(Date.now() + minutes * 60_000), `token-${asked}`))];
      }),
    );
    expect((await keys.current()).securityToken).toBe("token-1");
    expect((await keys.current()).securityToken).toBe("token-2");
    expect((await keys.current()).securityToken).toBe("token-2");
    expect(asked).toBe(2);
  });

  test("that are still good are used while the metadata is silent", async () => {
    let asked = 0;
    const soon = () => JSON.stringify(roleAnswer(new Date(Date.now() + 60_000)));
    const keys = new RoleKeys("nodes", await metadata(() => (asked++ === 0 ? [200, soon()] : [503, ""])));
    await keys.current();
    expect((await keys.current()).securityToken).toBe("token-1");
    expect(asked).toBe(2);
  });

  test.each([
    ["no role", [404, "not found"], /metadata answered 404 to keys of the instance's role nodes/],
    [
      "a failure",
      [200, JSON.stringify({ Code: "Failed", AccessKeySecret: "sesame" })],
      /holds no keys of the instance's/,
    ],
    ["no JSON", [200, "sesame"], /holds no keys of the instance's/],
  ] as [string, [number, string], RegExp][])(
    "are missed with a reason that tells none: %s",
    async (_, answer, reason) => {
      const keys = new RoleKeys("nodes", await metadata(() => answer));
      const error = await keys.current().catch((error: Error) => error);
      expect(error).toBeInstanceOf(Error);
      expect((error as Error).message).toMatch(reason);
      expect((error as Error).message).not.toContain("sesame");
    },
  );
});
