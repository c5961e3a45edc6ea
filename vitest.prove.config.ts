import { defineConfig } from 'vitest/config';

/** What `scripts/prove.mjs` runs: one part after the other, each for its share of the time. */
export default defineConfig({
  test: {
    include: ['test/prove/**/*.test.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    maxWorkers: 1,
    provide: { minutes: Number(process.env.PROVE_MINUTES), report: process.env.PROVE_REPORT ?? '' },
  },
});
