import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import grpc from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type engineMessages from "@pulumi/pulumi/proto/engine_pb.js";
import type pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { engineAddress } from "./arguments.ts";
import { type PropertyMap, secret, UNKNOWN } from "./property-value.ts";
import { serve } from "./serve.ts";
import { LOCAL } from "./support/calls.ts";

const packed = (value: PropertyMap) => struct.Struct.fromJavaScript(value as Record<string, struct.JavaScriptValue>);

/** The engine's end of the protocol, as far as a provider sees it. */
let said: engineMessages.LogRequest.AsObject[] = [];
const engine = new grpc.Server();
let address: string;
let plugin: providerService.ResourceProviderClient;

beforeAll(async () => {
  engine.addService(engineService.EngineService as unknown as grpc.ServiceDefinition, {
    log: (
      call: grpc.ServerUnaryCall<engineMessages.LogRequest, empty.Empty>,
      reply: grpc.sendUnaryData<empty.Empty>,
    ) => {
      said.push(call.request.toObject());
      reply(null, new empty.Empty());
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    engine.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
  address = `127.0.0.1:${port}`;
  plugin = await client();
});
afterAll(() => engine.forceShutdown());
beforeEach(() => {
  said = [];
});

async function client() {
  const target = `127.0.0.1:${await serve(address)}`;
  return new providerService.ResourceProviderClient(target, grpc.credentials.createInsecure());
}

type Unary = (request: unknown, done: (error: grpc.ServiceError | null, response: unknown) => void) => void;

function call<Response>(method: keyof typeof plugin, request: unknown, to = plugin): Promise<Response> {
  return new Promise((resolve, reject) => {
    (to[method] as Unary).call(to, request, (error, response) =>
      error ? reject(error) : resolve(response as Response),
    );
  });
}

async function create(inputs: PropertyMap, { preview = false, timeout = 0, to = plugin } = {}) {
  const request = new messages.CreateRequest();
  request.setUrn(LOCAL);
  request.setProperties(packed(inputs));
  request.setPreview(preview);
  request.setTimeout(timeout);
  const response = await call<messages.CreateResponse>("create", request, to);
  return { id: response.getId(), outputs: response.getProperties()?.toJavaScript() };
}

describe("the plugin", () => {
  test("is version 1.2.1 and says that it is a stand-in", async () => {
    expect((await call<pluginMessages.PluginInfo>("getPluginInfo", new empty.Empty())).getVersion()).toBe("1.2.1");
    const schema = JSON.parse(
      (await call<messages.GetSchemaResponse>("getSchema", new messages.GetSchemaRequest())).getSchema(),
    );
    expect(schema).toMatchObject({
      name: "command",
      version: "1.2.1",
      description: expect.stringContaining("stand-in"),
    });
    const configured = await call<messages.ConfigureResponse>("configure", new messages.ConfigureRequest());
    expect(configured.getAcceptsecrets()).toBe(true);
    expect(configured.getSupportspreview()).toBe(true);
    expect(said.map(({ message }) => message)).toEqual([expect.stringContaining("stand-in")]);
  });

  test("prints its port on stdout, nothing else, and ends with the signal", async () => {
    const main = join(import.meta.dirname, "main.ts");
    const process_ = spawn(process.execPath, [main, "-logtostderr", address], { stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    process_.stdout.on("data", (chunk) => {
      printed += chunk;
    });
    await vi.waitFor(() => expect(printed).toMatch(/^\d+\n$/), 4000);
    const own = new providerService.ResourceProviderClient(
      `127.0.0.1:${printed.trim()}`,
      grpc.credentials.createInsecure(),
    );
    expect((await create({ create: "echo hello; echo err >&2" }, { to: own })).outputs?.stdout).toBe("hello");
    await expect(create({ create: "exit 1" }, { to: own })).rejects.toThrow("exit status 1");
    process_.kill();
    await once(process_, "exit");
    expect(printed).toMatch(/^\d+\n$/);
  });

  test("ends when the engine that started it is gone", async () => {
    const main = join(import.meta.dirname, "main.ts");
    const engine = spawn("/bin/sh", ["-c", `"${process.execPath}" "${main}" ${address} & wait`]);
    await once(engine.stdout, "data");
    engine.kill("SIGKILL");
    await once(engine.stdout, "close"); // The plugin held the other end.
  });

  test("finds the engine among its arguments", () => {
    expect(engineAddress(["127.0.0.1:1"])).toBe("127.0.0.1:1");
    expect(engineAddress(["--logtostderr", "-v=9", "--tracing", "http://t", "127.0.0.1:1"])).toBe("127.0.0.1:1");
    expect(engineAddress([])).toBeUndefined();
  });
});

describe("operations", () => {
  test("check wraps the connection and names failures", async () => {
    const request = new messages.CheckRequest();
    request.setUrn("urn:pulumi:dev::project::my:component:Node$command:remote:Command::name");
    request.setNews(packed({ connection: { host: "h" }, create: 5 }));
    const response = await call<messages.CheckResponse>("check", request);
    expect(response.getFailuresList().map((failure) => failure.getProperty())).toEqual(["create"]);
    expect(response.getInputs()?.toJavaScript().connection).toEqual(secret({ host: "h" }));
  });

  test("diff compares the old inputs, tells details, and creates before it deletes", async () => {
    const request = new messages.DiffRequest();
    request.setUrn(LOCAL);
    request.setOldInputs(packed({ create: "a", triggers: [1] }));
    request.setOlds(packed({ create: "a", triggers: [1], stdout: "a", stderr: "" }));
    request.setNews(packed({ create: "b", triggers: [2] }));
    const response = await call<messages.DiffResponse>("diff", request);
    const { Kind } = messages.PropertyDiff;
    const kinds = response.toObject().detaileddiffMap.map(([path, { kind }]) => [path, kind]);
    expect(kinds).toEqual([
      ["create", Kind.UPDATE],
      ["triggers[0]", Kind.UPDATE_REPLACE],
    ]);
    expect(response.getReplacesList()).toEqual(["triggers"]);
    expect(response.getDeletebeforereplace()).toBe(false);
    expect(response.getChanges()).toBe(messages.DiffResponse.DiffChanges.DIFF_SOME);

    request.setNews(packed({ create: "a", triggers: [1] }));
    const { DIFF_NONE } = messages.DiffResponse.DiffChanges;
    expect((await call<messages.DiffResponse>("diff", request)).getChanges()).toBe(DIFF_NONE);
  });

  test("create runs, and in a preview does not", async () => {
    expect((await create({ create: secret("echo a") })).outputs).toEqual({
      create: secret("echo a"),
      stdout: "a",
      stderr: "",
    });
    expect((await create({ create: "echo a" }, { preview: true })).outputs?.stdout).toBe(UNKNOWN);
  });

  test("update, delete, read and invoke reach the provider", async () => {
    const update = new messages.UpdateRequest();
    update.setUrn(LOCAL);
    update.setOlds(packed({ create: "echo a", stdout: "a", stderr: "" }));
    update.setNews(packed({ create: "echo $PULUMI_COMMAND_STDOUT b" }));
    expect((await call<messages.UpdateResponse>("update", update)).getProperties()?.toJavaScript().stdout).toBe("a b");

    const remove = new messages.DeleteRequest();
    remove.setUrn(LOCAL);
    remove.setProperties(packed({ delete: "exit 9" }));
    await expect(call<empty.Empty>("delete", remove)).rejects.toThrow("exit status 9");

    const read = new messages.ReadRequest();
    read.setId("id");
    read.setProperties(packed({ create: "exit 1", stdout: "a" }));
    expect((await call<messages.ReadResponse>("read", read)).getProperties()?.toJavaScript()).toEqual({
      create: "exit 1",
      stdout: "a",
    });

    const invoke = new messages.InvokeRequest();
    invoke.setTok("command:local:run");
    invoke.setArgs(packed({ command: "echo ran" }));
    invoke.setPreview(true);
    expect((await call<messages.InvokeResponse>("invoke", invoke)).getReturn()?.toJavaScript().stdout).toBe("ran");
  });

  test("lines stream under the resource's name and leave no trace", async () => {
    await create({ create: "echo a; echo b" });
    expect(said.map(({ message, urn, ephemeral }) => [message, urn, ephemeral])).toEqual([
      ["a", LOCAL, true],
      ["b", LOCAL, true],
    ]);
  });

  test("more lines than the engine can take are not shown, and keep nobody waiting", async () => {
    const { outputs } = await create({ create: "seq 1 5000" });
    expect(String(outputs?.stdout).split("\n")).toHaveLength(5000);
    expect(said.length).toBeGreaterThanOrEqual(1000);
    expect(said.length).toBeLessThan(5000);
  });

  test("the time given to an operation ends it", async () => {
    await expect(create({ create: "exec sleep 60" }, { timeout: 0.02 })).rejects.toThrow("signal: killed");
  });

  test("cancel ends what runs", async () => {
    const own = await client();
    const result = create({ create: "echo started; exec sleep 60" }, { to: own });
    result.catch(() => {});
    await vi.waitFor(() => expect(said.map(({ message }) => message)).toContain("started"));
    await call<empty.Empty>("cancel", new empty.Empty(), own);
    await expect(result).rejects.toThrow("signal: killed");
    await expect(create({ create: "echo too late" }, { to: own })).rejects.toThrow("context canceled: running");
  });
});
