// Checkpoints made at random (checkpoint-grammar.ts), each read in a child process with 512 MB: it is refused
// with one of our sentences or read rightly, in at most 1 s, in at most 64 MB and ten times its size, and
// nothing of the process is changed. `node scripts/fuzz-checkpoints.mjs` runs more of them.
import fc from 'fast-check';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';

import { Reader } from './checkpoint-children.js';
import { Input, inputs, VALID } from './checkpoint-grammar.js';

const RUNS = Number(process.env['EVENKEEL_FUZZ_RUNS'] ?? 20_000);
const SEED = Number(process.env['EVENKEEL_FUZZ_SEED'] ?? 1);
const READERS = Number(process.env['EVENKEEL_FUZZ_READERS'] ?? 2);
/** Of one property, with all attempts to make a file that fails smaller. */
const MOST_MS = 120_000 + 20 * RUNS;
/** Of one property: fast-check keeps something of each run. */
const SLICE = 10_000;

const tally = { read: 0, refused: 0, slowest: 0, most: 0 };
const readers = Array.from({ length: READERS }, () => new Reader());
afterAll(() => readers.forEach((each) => each.stop()));

/** Reads one; throws for what is wrong. */
async function judge(reader: Reader, { format, bytes, original }: Input): Promise<void> {
  const verdict = await reader.read(format, bytes);
  tally.slowest = Math.max(tally.slowest, verdict.ms);
  tally.most = Math.max(tally.most, verdict.grown);
  if (verdict.outcome === 'refused') {
    tally.refused++;
    return;
  }
  tally.read++;
  if (original !== null && verdict.contents !== original) throw new Error('other values, unseen');
}

test(
  `${RUNS} checkpoints from their grammars, seed ${SEED}`,
  async () => {
    const contents = new Map<string, string>();
    for (const { name, format, bytes } of VALID) {
      contents.set(name, (await readers[0]!.read(format, bytes)).contents);
    }
    const arbitrary = inputs(contents);
    let next = 0;
    const readOn = async (reader: Reader): Promise<void> => {
      while (next < RUNS) {
        const from = next;
        next += SLICE;
        const numRuns = Math.min(SLICE, RUNS - from);
        const result = await fc.check(
          fc.asyncProperty(arbitrary, (input) => judge(reader, input)),
          // a file that hangs takes seconds each time that a smaller one is tried
          {
            numRuns,
            seed: SEED * 1_000_003 + from,
            interruptAfterTimeLimit: MOST_MS,
            markInterruptAsFailure: false,
          },
        );
        if (!result.failed) continue;
        const [input] = result.counterexample ?? [];
        const kept = process.env['EVENKEEL_FUZZ_KEEP'];
        if (kept !== undefined && input !== undefined) writeFileSync(kept, input.bytes);
        throw new Error(fc.defaultReportMessage(result) ?? 'failed', {
          cause: result.errorInstance,
        });
      }
    };
    await Promise.all(readers.map(readOn));
    expect(tally.read + tally.refused).toBeGreaterThanOrEqual(RUNS);
    // neither door is closed: all refused, or all read, would show nothing
    expect(tally.read).toBeGreaterThan(RUNS / 50);
    expect(tally.refused).toBeGreaterThan(RUNS / 4);
    const report = process.env['EVENKEEL_FUZZ_REPORT'];
    if (report !== undefined) writeFileSync(report, JSON.stringify(tally));
  },
  2 * MOST_MS,
);

const folder = new URL('corpus/', import.meta.url);
test.each(readdirSync(folder))('corpus: %s', async (name) => {
  const bytes = readFileSync(new URL(name, folder));
  const format = name.endsWith('.safetensors') ? 1 : 0;
  await judge(readers[0]!, new Input(format, bytes, name));
});
