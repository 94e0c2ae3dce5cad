import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig(({ mode }) => ({
  resolve: {
    // Tests run the source. test/packaging starts child processes, which see the built package.
    alias: [
      { find: /^evenkeel$/, replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)) },
      {
        find: /^evenkeel\/distributed$/,
        replacement: fileURLToPath(new URL('src/distributed/index.ts', import.meta.url)),
      },
      {
        find: /^evenkeel\/doctor$/,
        replacement: fileURLToPath(new URL('src/doctor/index.ts', import.meta.url)),
      },
      {
        find: /^#report$/,
        replacement: fileURLToPath(new URL('src/report/index.ts', import.meta.url)),
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    env: mode === 'quick' ? { EVENKEEL_TESTS: 'quick' } : {},
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    setupFiles:
      process.env['EVENKEEL_PROPERTY_SECONDS'] === undefined
        ? []
        : ['test/helpers/property-seconds.ts'],
    reporters: ['default', './test/helpers/closing-line.ts'],
  },
}));
