/**
 * A stand-in for the plugin `pulumi-resource-command` 1.2.1, for networks where the official one cannot be had.
 * The engine starts it, reads a port from stdout and speaks gRPC to it; stdout carries nothing else.
 */
import { engineAddress } from "./arguments.ts";
import { serve } from "./serve.ts";

const engine = process.ppid;
process.stdout.write(`${await serve(engineAddress(process.argv.slice(2)))}\n`);

// An engine that was killed leaves nobody to work for.
setInterval(() => process.ppid === engine || process.exit(1), 500);
