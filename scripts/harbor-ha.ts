#!/usr/bin/env node
import { Command } from "commander";
import { aliyunCommand } from "./commands/aliyun.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { explainCommand } from "./commands/explain.ts";
import { initCommand } from "./commands/init.ts";
import { labCommand } from "./commands/lab.ts";
import { maintenanceCommand } from "./commands/maintenance.ts";
import { failoverCommand, rejoinCommand, switchoverCommand } from "./commands/move.ts";
import { notifyCommand } from "./commands/notify.ts";
import { operationCommand } from "./commands/operation.ts";
import { preflightCommand } from "./commands/preflight.ts";
import { recordCommand } from "./commands/record.ts";
import { rollCommand } from "./commands/roll.ts";
import { statusCommand } from "./commands/status.ts";
import { uninstallCommand } from "./commands/uninstall.ts";
import { runProgram } from "./run-program.ts";

await runProgram(async () => {
  const program = new Command("harbor-ha")
    .description(
      "Runs a highly available Harbor on two machines.\nExit codes: 0 done, 1 failed, 2 refused by a rule, 3 unknown.",
    )
    .showHelpAfterError()
    .addCommand(initCommand())
    .addCommand(explainCommand())
    .addCommand(preflightCommand())
    .addCommand(statusCommand())
    .addCommand(doctorCommand())
    .addCommand(switchoverCommand())
    .addCommand(failoverCommand())
    .addCommand(rejoinCommand())
    .addCommand(rollCommand())
    .addCommand(maintenanceCommand())
    .addCommand(recordCommand())
    .addCommand(notifyCommand())
    .addCommand(operationCommand(), { hidden: true })
    .addCommand(aliyunCommand())
    .addCommand(uninstallCommand())
    .addCommand(labCommand());
  await program.parseAsync();
  return Number(process.exitCode ?? 0);
});
