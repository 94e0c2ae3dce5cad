// Vitest reporter: ends a run with `N passed, N failed` alone on a line, for scripts to read.
// A file that could not be loaded and an error outside any test count as failed.
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

export default class ClosingLine implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1;
      if (module.errors().length > 0) count.failed += 1;
    }
    count.failed += count.pending; // started but never finished
    if (reason === 'failed' && count.failed === 0) count.failed = 1;
    const skipped = count.skipped > 0 ? `, ${String(count.skipped)} skipped` : '';
    console.log(`${String(count.passed)} passed, ${String(count.failed)} failed${skipped}`);
  }
}
