import { defineConfig } from "vitest/config";

export default defineConfig({
  // Workspace packages are tested from their sources, so that a stale build can never pass.
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["source"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "packages/*/test/**/*.test.ts", "tools/**/*.test.ts"],
    pool: "forks",
    // Test files run side by side, one to a core; threads inside each would only get in each other's way.
    env: { OMP_NUM_THREADS: "1" },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
