import { createServer, type Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import { S3Store } from "../../../scripts/record/s3-store.ts";
import { provesExclusive, readRecord } from "../../../scripts/record/store.ts";

/** What an object storage can do to a PUT: keep the condition, ignore it, call two writers a conflict, refuse, or say nothing. */
type Manner = "keeps" | "ignores" | "conflicts" | "refuses" | "silent";

let server: Server | undefined;
afterEach(() => server?.closeAllConnections());
afterEach(() => server?.close());

async function storage(manner: Manner, pageSize = 1000): Promise<S3Store> {
  const objects = new Map<string, string>();
  server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://storage");
    const key = url.pathname.replace(/^\/bucket\//, "");
    const error = (status: number, code: string) =>
      response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`);
    if (manner === "silent") return undefined;
    if (manner === "refuses" || !request.headers.authorization) return error(403, "AccessDenied");
    if (request.method === "PUT") {
      let text = "";
      request.on("data", (chunk) => (text += chunk));
      request.on("end", () => {
        if (objects.has(key) && manner !== "ignores" && request.headers["if-none-match"] === "*")
          return manner === "conflicts" ? error(409, "ConditionalRequestConflict") : error(412, "PreconditionFailed");
        objects.set(key, text);
        return response.end();
      });
      return undefined;
    }
    if (!url.searchParams.has("list-type"))
      return objects.has(key) ? response.end(objects.get(key)) : error(404, "NoSuchKey");
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
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("no port");
  return new S3Store({
    kind: "s3",
    endpoint: `http://127.0.0.1:${address.port}`,
    region: "eu",
    bucket: "bucket",
    prefix: "pair/record",
    accessKeyId: "id",
    secretAccessKey: "secret",
  });
}

test("a storage that keeps the condition is proven", async () => {
  expect(await provesExclusive(await storage("keeps"))).toBe(true);
});

test("one that calls the second writer a conflict is proven too", async () => {
  expect(await provesExclusive(await storage("conflicts"))).toBe(true);
});

test("one that ignores the condition is found out", async () => {
  expect(await provesExclusive(await storage("ignores"))).toBe(false);
});

test("entries are found page by page, and from a number on", async () => {
  const store = await storage("keeps", 3);
  for (let number = 1; number <= 10; number++) await store.create(number, `${number}`);
  expect(await store.numbers(0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(await store.numbers(8)).toEqual([9, 10]);
  expect(await store.read(7)).toBe("7");
  await store.create(11, "11");
  expect(await store.numbers(11)).toEqual([]);
});

test("an error names what was asked and the storage's own code", async () => {
  expect(await readRecord(await storage("refuses"))).toEqual({
    state: "unreadable",
    reason: expect.stringMatching(/^the object storage answered 403 AccessDenied to GET bucket\/$/),
  });
});

test("a storage that says nothing is unreadable in time", async () => {
  expect(await readRecord(await storage("silent"))).toEqual({
    state: "unreadable",
    reason: expect.stringMatching(/no answer in time$/),
  });
}, 10_000);
