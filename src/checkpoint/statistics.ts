// Running statistics that are not finite: a model that is loaded with them gives NaN in evaluation, from the
// first call on and without a word. Whoever reads the file is told.
import type { StateDict } from '../tensor/state-dict.js';
import type { FloatData } from '../memory/dtype.js';
import type { Budget } from './budget.js';
import type { Steps } from './source.js';
import { quoted } from './sentences.js';

/** So many numbers are looked at between two turns of the event loop. */
const LOOKED_AT = 2 ** 14;
/** What looking at one number costs: many names may stand for the same large tensor. */
const LOOK_BYTES = 4;
/** The most keys that a warning names. */
const NAMED = 8;

/** @internal Warns once of a state dict from a file, naming every key. Running variances below 0 loading refuses. */
export function* warnOfStatistics(who: string, state: StateDict, budget: Budget): Steps<void> {
  const found: string[] = [];
  for (const [key, tensor] of state) {
    if (!/(?:^|\.)running_(?:mean|var)$/.test(key)) continue;
    if (tensor.dtype !== 'float32' && tensor.dtype !== 'float64') continue;
    const data = tensor.attached(who, quoted(key)) as FloatData;
    budget.spend(LOOK_BYTES * data.length);
    for (let start = 0; start < data.length; start += LOOKED_AT) {
      const some = data.subarray(start, start + LOOKED_AT);
      const channel = some.findIndex((value) => !Number.isFinite(value));
      yield;
      if (channel < 0) continue;
      found.push(`${String(some[channel])} in ${quoted(key)} (channel ${start + channel})`);
      break;
    }
  }
  if (found.length === 0) return;
  const more = found.length > NAMED ? ` and ${found.length - NAMED} more` : '';
  process.emitWarning(
    `${who}: expected finite running statistics, got ${found.slice(0, NAMED).join(', ')}${more}. ` +
      'A BatchNorm that is loaded with them gives NaN or infinities in evaluation.',
    { code: 'EVENKEEL_NON_FINITE_STATISTICS' },
  );
}
