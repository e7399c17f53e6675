import { defineConfig } from "vitest/config";

// On real hosts: one file after the other, and no test after a failed one of the same file.
export default defineConfig({
  test: {
    fileParallelism: false,
    bail: 1,
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
    teardownTimeout: 120_000,
    reporters: ["verbose"],
    disableConsoleIntercept: true,
  },
});
