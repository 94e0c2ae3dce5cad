import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What `npm test` runs. These share processes, as most of the time of a small file is the import of the source. */
const MINUTE = ['unit', 'golden', 'parity', 'property'].map((room) => `test/${room}/**/*.test.ts`);

/** Of these, what changes its process, or counts what the whole process holds: each has one of its own. */
const PROCESS_OF_ITS_OWN = [
  'test/golden/bits.test.ts', // numbers of threads
  'test/property/{pool,reclaimed}.test.ts',
  'test/unit/{async,forward-async,step-async,examples,tensor-methods}.test.ts', // numbers of threads
  'test/unit/{backward-memory,gradient-memory,memory,reclaimed,scope,sequential-memory,shared-memory}.test.ts',
  'test/unit/{custom,handed-out,hostile-arguments,setters}.test.ts', // the limit of the pool
  'test/unit/{schedulers,unregistered}.test.ts', // warnings of once a process
];

/** Start programs, which take all cores, or limit or count memory and time: one file after the other. */
const ALONE = 'bench|distributed|packaging|stress';

const SECONDS =
  process.env['EVENKEEL_PROPERTY_SECONDS'] === undefined
    ? []
    : ['test/helpers/property-seconds.ts'];

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
    env: mode === 'quick' ? { EVENKEEL_TESTS: 'quick' } : {},
    pool: 'forks',
    maxWorkers: availableParallelism(), // the default is one less: with two cores, one
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/helpers/closing-line.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: MINUTE,
          exclude: PROCESS_OF_ITS_OWN,
          isolate: false,
          setupFiles: ['test/helpers/left-as-found.ts', ...SECONDS],
        },
      },
      {
        extends: true,
        test: {
          name: 'own',
          include: [
            ...PROCESS_OF_ITS_OWN,
            `test/!(unit|golden|parity|property|${ALONE})/**/*.test.ts`,
          ],
          setupFiles: SECONDS,
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: [`test/@(${ALONE})/**/*.test.ts`],
          setupFiles: SECONDS,
          maxWorkers: 1,
          sequence: { groupOrder: 1 }, // after the others; Vitest refuses another number of workers in one group
        },
      },
    ],
  },
}));
