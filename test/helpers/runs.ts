/**
 * How often something random is tried: so often in `npm run check`; a tenth, but at least 10 times, in `npm test`, which
 * is to take a minute and sets EVENKEEL_TESTS (vitest.config.ts).
 */
export function runs(full: number): number {
  return process.env['EVENKEEL_TESTS'] === 'quick' ? Math.max(10, Math.round(full / 10)) : full;
}
