// The command line of the benchmark: options, help, and one sentence for a mistake.
import { parseArgs } from 'node:util';

import { groupNames } from './filter.js';
import { peerNames } from './peers/all.js';

export interface Options {
  readonly filter: string | null;
  readonly peers: readonly string[];
  readonly report: string | null;
  readonly save: string | null;
  readonly quick: boolean;
  readonly json: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

const VALUES: Readonly<Record<string, readonly [hint: string, text: string]>> = {
  filter: ['<names>', 'only these cases, as `forward, step`, `forward 256x1024` or `float64`'],
  peers: ['<names>', `only these peers, of ${peerNames.join(', ')}; or none`],
  report: ['<file>', 'write charts and tables to an HTML page'],
  save: ['<folder>', 'write <date>-<cpu>.json and .html there'],
};

const FLAGS: Readonly<Record<string, string>> = {
  quick: 'small shapes, fewer turns: a minute or two',
  json: 'print one JSON object and nothing else',
  list: 'print the cases and measure nothing',
  help: 'print this',
};

/** @throws {RangeError} a sentence about the first mistake. */
export function parseOptions(args: string[]): Options {
  const known = [...Object.keys(VALUES), ...Object.keys(FLAGS)];
  const options = Object.fromEntries(
    known.map((name) => [name, { type: name in VALUES ? 'string' : 'boolean' } as const]),
  );
  // Not strict: its messages are several sentences long.
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true });
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== 'option') {
      const text = token.kind === 'positional' ? token.value : '--';
      throw new RangeError(`expected options only, got '${text}'.`);
    }
    const { name, rawName, value } = token;
    if (!known.includes(name)) {
      const names = known.map((each) => `--${each}`).join(', ');
      throw new RangeError(`expected one of ${names}, got '${rawName}'.`);
    }
    if (name in VALUES && (value === undefined || value === '')) {
      throw new RangeError(`expected --${name} ${VALUES[name]![0]}, got nothing.`);
    }
    if (name in FLAGS && value !== undefined) {
      throw new RangeError(`expected --${name} without a value, got '${value}'.`);
    }
    given.set(name, value ?? '');
  }
  return {
    filter: given.get('filter') ?? null,
    peers: parsePeers(given.get('peers')),
    report: given.get('report') ?? null,
    save: given.get('save') ?? null,
    quick: given.has('quick'),
    json: given.has('json'),
    list: given.has('list'),
    help: given.has('help'),
  };
}

function parsePeers(text: string | undefined): readonly string[] {
  if (text === undefined) return peerNames;
  if (text === 'none') return [];
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (peerNames.includes(name)) continue;
    throw new RangeError(`expected --peers of ${peerNames.join(', ')} or none, got '${name}'.`);
  }
  return names;
}

export function help(): string {
  const line = (left: string, text: string): string => `  ${left.padEnd(18)}${text}`;
  return [
    'Usage: evenkeel bench [options]',
    '',
    'Measures BatchNorm1d through the public API beside bare passes over the same memory',
    '(the limit) and beside the peers found here, in turns: median, 10th to 90th percentile,',
    'GB/s, share of the limit, and the error of the output against float64.',
    '',
    ...Object.entries(VALUES).map(([name, [hint, text]]) => line(`--${name} ${hint}`, text)),
    ...Object.entries(FLAGS).map(([name, text]) => line(`--${name}`, text)),
    '',
    'Groups of cases:',
    ...wrapped(groupNames, 84),
    '',
    'Peers are optional. PyTorch is looked for in python3, or in the Python that',
    'EVENKEEL_PYTHON names; the others in this folder, and where `npm run bench:peers` of a',
    'checkout installs them. EVENKEEL_ISA and EVENKEEL_THREADS hold for evenkeel and the limit.',
  ].join('\n');
}

function wrapped(words: readonly string[], width: number): string[] {
  const lines = [''];
  for (const word of words) {
    if (lines.at(-1)!.length + word.length + 2 > width) lines.push('');
    lines.push(`${lines.pop()!}  ${word}`);
  }
  return lines;
}
