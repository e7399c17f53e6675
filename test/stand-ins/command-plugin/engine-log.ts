/** Passes messages on to the engine that started this plugin. */
import grpc from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineMessages from "@pulumi/pulumi/proto/engine_pb.js";

import { type Log, silent } from "./log.ts";

const { LogRequest, LogSeverity } = engineMessages;
type Severity = (typeof LogSeverity)[keyof typeof LogSeverity];

/** Nobody can read more lines than this in the status column; a command must not wait for them. */
const MOST_WAITING = 1000;

/** One connection; every resource speaks through its own log, under its own name. */
export function engineLogs(address: string | undefined): (urn: string) => Log {
  if (address === undefined) return () => silent;
  const engine = new engineService.EngineClient(address, grpc.credentials.createInsecure());

  return (urn) => {
    let sent: Promise<void> = Promise.resolve();
    let waiting = 0;
    const send = (severity: Severity, message: string, ephemeral: boolean) => {
      if (ephemeral && waiting >= MOST_WAITING) return;
      waiting += 1;
      const request = new LogRequest();
      request.setSeverity(severity);
      request.setMessage(message);
      request.setUrn(urn);
      request.setEphemeral(ephemeral);
      // An engine that no longer listens is no reason to fail a command.
      sent = sent
        .then(() => new Promise<void>((resolve) => engine.log(request, () => resolve())))
        .then(() => {
          waiting -= 1;
        });
    };
    return {
      status: (line) => send(LogSeverity.INFO, line, true),
      info: (text) => send(LogSeverity.INFO, text, false),
      warn: (text) => send(LogSeverity.WARNING, text, false),
      error: (text) => send(LogSeverity.ERROR, text, false),
      delivered: () => sent,
    };
  };
}
