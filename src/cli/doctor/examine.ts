// What the doctor is given on the command line, examined and mended. A checkpoint is read, a module is run.
import { access } from 'node:fs/promises';

import type { Report } from '../../doctor/index.js';
import type { Values } from '../options.js';
import { isModuleFile, loaderOf, runModule, type GivenModule } from './given.js';

export interface Examination {
  readonly report: Report;
  /** What else is to be said, a line each. */
  readonly notes: readonly string[];
}

export async function examine(path: string, values: Values): Promise<Examination> {
  return isModuleFile(path) ? examineModule(path, values) : examineCheckpoint(path, values);
}

async function examineCheckpoint(path: string, values: Values): Promise<Examination> {
  const { data, key, eps, mend: out, overwrite = false } = values;
  const { diagnoseCheckpoint, mendCheckpoint } = await import('../../doctor/index.js');
  if (data !== undefined) {
    throw new RangeError(
      'expected a module file that makes the model, which --data goes through, got a checkpoint.',
    );
  }
  const report = await diagnoseCheckpoint(path, {
    ...(typeof key === 'string' ? { key } : {}),
    ...(typeof eps === 'number' ? { eps } : {}),
  });
  if (typeof out !== 'string') return { report, notes: [] };
  const { mended, left } = await mendCheckpoint(path, {
    out,
    overwrite: overwrite === true,
    ...(typeof key === 'string' ? { key } : {}),
  });
  return { report, notes: ['', ...mendedLines(out, mended, left)] };
}

async function examineModule(path: string, values: Values): Promise<Examination> {
  const { data, mend: out } = values;
  const { diagnose } = await import('../../doctor/index.js');
  const given = await runModule(path);
  const loader = typeof data === 'string' ? await loaderOf(data) : given.loader;
  const { model, options } = given;
  const report = await diagnose(model, loader as AsyncIterable<unknown>, options);
  if (typeof out !== 'string') return { report, notes: [] };
  return { report, notes: ['', ...(await mendModule({ ...given, loader }, report, out, values))] };
}

async function mendModule(
  { model, loader, options }: GivenModule,
  before: Report,
  out: string,
  { overwrite }: Values,
): Promise<string[]> {
  const { diagnose, recalibrate } = await import('../../doctor/index.js');
  const { saveSafetensors } = await import('../../checkpoint/index.js');
  if (loader === undefined) {
    throw new RangeError(
      "expected --data or an export 'loader', which --mend recomputes statistics from, got neither.",
    );
  }
  if (overwrite !== true && (await isThere(out))) {
    throw new RangeError(
      `expected a new file for --mend, or --overwrite, got ${out}, which is there.`,
    );
  }
  const { input, forwardOptions } = options;
  await recalibrate(model, loader as AsyncIterable<unknown>, { input, forwardOptions });
  await saveSafetensors(out, model.stateDict());
  const after = await diagnose(model, loader as AsyncIterable<unknown>, options);
  const left = new Set(after.findings.map(({ id }) => id));
  const ids = [...new Set(before.findings.map(({ id }) => id))];
  return mendedLines(
    out,
    ids.filter((id) => !left.has(id)),
    [...left],
  );
}

function mendedLines(out: string, mended: readonly string[], left: readonly string[]): string[] {
  return [
    `written: ${out}`,
    `  mended: ${mended.length === 0 ? 'nothing' : mended.join(', ')}`,
    ...(left.length === 0 ? [] : [`  left:   ${left.join(', ')}`]),
  ];
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
