import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/integration/support/setup.ts'],
          setupFiles: ['test/integration/support/network.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // Containers, cgroups and mounts are the machine's, not the file's.
          fileParallelism: false,
        },
      },
      // Run by scripts/test-vm, in a guest with pure cgroup v2.
      {
        test: { name: 'vm', include: ['test/vm/**/*.test.ts'], testTimeout: 120_000, fileParallelism: false },
      },
    ],
  },
});
