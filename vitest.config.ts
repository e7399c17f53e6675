import { defineConfig } from "vitest/config";

/** The unit tests: no lab, no Pulumi engine, no root, no network. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // They leave nothing behind in a process; loading everything anew for each file takes longer than the tests.
    isolate: false,
    // Many wait for time, not for a processor.
    maxWorkers: "100%",
    // Far more than any needs, for machines that are busy with something else.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    exclude: ["test/lab/**", "**/*.engine.test.ts", "**/node_modules/**"],
  },
});
