// `npm run check`: everything that must hold before a change goes in, in the order of what fails
// fastest. Stops at the first failure; each step is also an npm script of its own.
import { spawn } from 'node:child_process';

const steps = [
  { name: 'format', script: 'format:check' },
  { name: 'lint', script: 'lint' },
  { name: 'types', script: 'types' },
  { name: 'unused code', script: 'unused' },
  { name: 'build', script: 'build' },
  { name: 'tests', script: 'test:all' },
  { name: 'package', script: 'package' },
  { name: 'symbols', script: 'symbols' },
];
const closingLine = /^\d+ passed, \d+ failed(, \d+ skipped)?$/gm;

const start = performance.now();
let tests = '';
let failed = '';
for (const { name, script } of steps) {
  const isTests = name === 'tests';
  process.stdout.write(isTests ? `${name}\n` : `${name.padEnd(12)} `);
  const stepStart = performance.now();
  const { code, output } = await run(script, isTests);
  if (isTests) tests = output.match(closingLine)?.at(-1) ?? '';
  const passed = code === 0 && (!isTests || tests !== '');
  console.log(
    `${isTests ? name.padEnd(12) + ' ' : ''}${passed ? 'ok' : 'FAILED'} ${seconds(stepStart)}`,
  );
  if (passed) continue;
  if (!isTests) console.log(output.trimEnd());
  failed = script;
  break;
}
console.log(
  failed === ''
    ? `all ${String(steps.length)} checks passed in ${seconds(start)}`
    : `check failed; to repeat only this step: npm run ${failed}`,
);
if (tests !== '') console.log(tests);
process.exitCode = failed === '' ? 0 : 1;

/**
 * Runs an npm script; its output is kept, and also shown when `isLive`.
 * @param {string} script
 * @param {boolean} isLive
 * @returns {Promise<{ code: number | null, output: string }>}
 */
async function run(script, isLive) {
  const color = isLive && process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' };
  const child = spawn(`npm run --silent ${script}`, {
    shell: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...color },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (/** @type {string} */ text) => {
      output += text;
      if (isLive) process.stdout.write(text);
    });
  }
  /** @type {number | null} */
  const code = await new Promise((resolve) => child.on('close', resolve));
  return { code, output };
}

/** @param {number} since */
function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
