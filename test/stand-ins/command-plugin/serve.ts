/**
 * The provider protocol. `main` of `@pulumi/pulumi/provider` does not pass on previews, time limits and detailed
 * differences, which this plugin needs, so the service is answered here, with the SDK's own messages.
 */
import grpc from "@grpc/grpc-js";
import pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";

import type { Failure } from "./check.ts";
import type { Change } from "./diff.ts";
import { engineLogs } from "./engine-log.ts";
import { type PropertyMap, withoutNulls } from "./property-value.ts";
import * as provider from "./provider.ts";
import { Stopped } from "./retry.ts";
import type { Context } from "./run.ts";

const LARGEST_MESSAGE = 400 * 1024 * 1024;

const map = (value: struct.Struct | undefined) => (value?.toJavaScript() ?? {}) as PropertyMap;
const known = (value: struct.Struct | undefined) => withoutNulls(map(value));
const packed = (value: PropertyMap) =>
  struct.Struct.fromJavaScript(withoutNulls(value) as Record<string, struct.JavaScriptValue>);

const KINDS: Record<Change, [plain: messages.PropertyDiff.Kind, replace: messages.PropertyDiff.Kind]> = {
  add: [messages.PropertyDiff.Kind.ADD, messages.PropertyDiff.Kind.ADD_REPLACE],
  delete: [messages.PropertyDiff.Kind.DELETE, messages.PropertyDiff.Kind.DELETE_REPLACE],
  update: [messages.PropertyDiff.Kind.UPDATE, messages.PropertyDiff.Kind.UPDATE_REPLACE],
};

/** Answers on a free port of this machine, and resolves to it. */
export async function serve(engineAddress: string | undefined): Promise<number> {
  let logs = engineLogs(engineAddress);
  const running = new Set<AbortController>();
  let cancelled = false;

  /** Runs until the engine cancels, or for so many seconds where the operation has a limit. */
  async function during<T>(urn: string, seconds: number, work: (context: Context) => Promise<T>): Promise<T> {
    const operation = new AbortController();
    const late = () => operation.abort(new DOMException("the time is over", "TimeoutError"));
    const timer = seconds > 0 ? setTimeout(late, seconds * 1000) : undefined;
    running.add(operation);
    if (cancelled) operation.abort();
    try {
      return await work({ log: logs(urn), signal: operation.signal });
    } finally {
      running.delete(operation);
      clearTimeout(timer);
    }
  }

  const server = new grpc.Server({
    "grpc.max_receive_message_length": LARGEST_MESSAGE,
    "grpc.max_send_message_length": LARGEST_MESSAGE,
  });

  server.addService(providerService.ResourceProviderService, {
    attach: answer<pluginMessages.PluginAttach, empty.Empty>(async (request) => {
      logs = engineLogs(request.getAddress());
      return new empty.Empty();
    }),

    getPluginInfo: answer<empty.Empty, pluginMessages.PluginInfo>(async () => {
      const info = new pluginMessages.PluginInfo();
      info.setVersion(provider.VERSION);
      return info;
    }),

    getSchema: answer<messages.GetSchemaRequest, messages.GetSchemaResponse>(async () => {
      const response = new messages.GetSchemaResponse();
      const { VERSION: version, DESCRIPTION: description } = provider;
      response.setSchema(JSON.stringify({ name: "command", version, description }));
      return response;
    }),

    configure: answer<messages.ConfigureRequest, messages.ConfigureResponse>(async () => {
      const log = logs("");
      log.info(`${provider.DESCRIPTION}.`);
      await log.delivered();
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setAcceptresources(true);
      response.setSupportspreview(true);
      return response;
    }),

    check: answer<messages.CheckRequest, messages.CheckResponse>(async (request) => {
      const { inputs, failures } = provider.check(request.getUrn(), map(request.getNews()));
      const response = new messages.CheckResponse();
      response.setInputs(packed(inputs));
      response.setFailuresList(failures.map(failure));
      return response;
    }),

    diff: answer<messages.DiffRequest, messages.DiffResponse>(async (request) => {
      const olds = request.getOldInputs() ?? request.getOlds();
      const { changes, replaces } = provider.diff(map(olds), map(request.getNews()));
      const response = new messages.DiffResponse();
      const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
      response.setChanges(Object.keys(changes).length > 0 ? DIFF_SOME : DIFF_NONE);
      response.setHasdetaileddiff(true);
      for (const [path, change] of Object.entries(changes)) {
        const detail = new messages.PropertyDiff();
        detail.setKind(KINDS[change][replaces.includes(path) ? 1 : 0]);
        response.getDetaileddiffMap().set(path, detail);
      }
      response.setDiffsList(topLevel(Object.keys(changes)));
      response.setReplacesList(topLevel(replaces));
      return response;
    }),

    create: answer<messages.CreateRequest, messages.CreateResponse>(async (request) => {
      const urn = request.getUrn();
      const { id, outputs } = await during(urn, request.getTimeout(), (context) =>
        provider.create(urn, known(request.getProperties()), { ...context, preview: request.getPreview() }),
      );
      const response = new messages.CreateResponse();
      response.setId(id);
      response.setProperties(packed(outputs));
      return response;
    }),

    read: answer<messages.ReadRequest, messages.ReadResponse>(async (request) => {
      const { state, inputs } = provider.read(map(request.getProperties()), map(request.getInputs()));
      const response = new messages.ReadResponse();
      response.setId(request.getId());
      response.setProperties(packed(state));
      response.setInputs(packed(inputs));
      return response;
    }),

    update: answer<messages.UpdateRequest, messages.UpdateResponse>(async (request) => {
      const urn = request.getUrn();
      const [olds, news] = [known(request.getOlds()), known(request.getNews())];
      const outputs = await during(urn, request.getTimeout(), (context) =>
        provider.update(urn, olds, news, { ...context, preview: request.getPreview() }),
      );
      const response = new messages.UpdateResponse();
      response.setProperties(packed(outputs));
      return response;
    }),

    delete: answer<messages.DeleteRequest, empty.Empty>(async (request) => {
      const urn = request.getUrn();
      await during(urn, request.getTimeout(), (context) =>
        provider.remove(urn, known(request.getProperties()), context),
      );
      return new empty.Empty();
    }),

    invoke: answer<messages.InvokeRequest, messages.InvokeResponse>(async (request) => {
      const { outputs, failures } = await during("", 0, (context) =>
        provider.invoke(request.getTok(), known(request.getArgs()), context),
      );
      const response = new messages.InvokeResponse();
      response.setReturn(packed(outputs));
      response.setFailuresList(failures.map(failure));
      return response;
    }),

    cancel: answer<empty.Empty, empty.Empty>(async () => {
      cancelled = true;
      for (const operation of running) operation.abort();
      return new empty.Empty();
    }),
  });

  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

function topLevel(paths: string[]): string[] {
  return [...new Set(paths.map((path) => path.split(/[.[]/)[0] ?? path))];
}

/** Errors become the call's status, with their message and nothing else. */
function answer<Request, Response>(method: (request: Request) => Promise<Response>) {
  return (call: grpc.ServerUnaryCall<Request, Response>, callback: grpc.sendUnaryData<Response>) => {
    method(call.request).then(
      (response) => callback(null, response),
      (error: Error) => callback({ code: codeOf(error), details: error.message }),
    );
  };
}

function codeOf(error: Error): grpc.status {
  if (!(error instanceof Stopped)) return grpc.status.UNKNOWN;
  return error.late ? grpc.status.DEADLINE_EXCEEDED : grpc.status.CANCELLED;
}

function failure({ property, reason }: Failure): messages.CheckFailure {
  const message = new messages.CheckFailure();
  message.setProperty(property);
  message.setReason(reason);
  return message;
}
