// Prints how far BatchNorm is from the truth, per distribution and shape: the figures that the
// accuracy test (test/native/accuracy.test.ts) checks. `node scripts/accuracy.mjs`
import { runTests } from './tools.mjs';

const { status, log, report } = runTests(
  ['test/native/accuracy.test.ts'],
  'EVENKEEL_ACCURACY_TABLE',
  {},
  'pipe',
);
console.log(status === 0 ? report : log);
process.exitCode = status ?? 1;
