import { defineConfig } from "vitest/config";

/** The unit tests: no lab, no Pulumi engine, no root, no network. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/lab/**", "**/*.engine.test.ts", "**/node_modules/**"],
  },
});
