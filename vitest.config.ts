import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    provide: { minutes: 0, report: '' },
    // Many tests start processes of their own: more files at once than cores only make them wait for each other.
    maxWorkers: 2,
  },
});
