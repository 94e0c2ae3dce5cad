// The command line of the benchmark: its options and its help.
import { helpOf, parseOptions as parse, type Usage } from '../src/cli/options.js';
import { groupNames } from './filter.js';
import { peerNames } from './peers/all.js';

export interface Options {
  readonly filter: string | null;
  readonly peers: readonly string[];
  readonly report: string | null;
  readonly save: string | null;
  readonly quick: boolean;
  /** After so many, no further case begins. */
  readonly minutes: number;
  readonly json: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

const USAGE: Usage = {
  name: 'bench',
  text: `Measures BatchNorm1d through the public API, in turns with bare passes over the
same memory (the limit) and with the peers found here: median, 10th to 90th
percentile, GB/s, share of the limit, and the error of the output against
float64.`,
  options: {
    filter: {
      type: 'string',
      hint: '<names>',
      help: 'only these cases, as `forward, step`, `forward 256x1024` or `float64`',
    },
    peers: {
      type: 'string',
      hint: '<names>',
      help: `only these peers, of ${peerNames.join(', ')}; or none`,
    },
    report: { type: 'string', hint: '<file>', help: 'write charts and tables to an HTML page' },
    save: { type: 'string', hint: '<folder>', help: 'write <date>-<cpu>.json and .html there' },
    minutes: { type: 'string', hint: '<n>', help: 'begin no case after so many minutes' },
    quick: { type: 'boolean', help: 'small shapes, fewer turns: a minute or two' },
    json: { type: 'boolean', help: 'print one JSON object and nothing else' },
    list: { type: 'boolean', help: 'print the cases and measure nothing' },
  },
  notes: [
    ['Groups of cases:', ...wrapped(groupNames, 78)].join('\n'),
    `Peers are optional. PyTorch is looked for in python3, or in the Python that
EVENKEEL_PYTHON names; the others in this folder, and where
\`npm run bench:peers\` of a checkout installs them. EVENKEEL_ISA and
EVENKEEL_THREADS hold for evenkeel and the limit.`,
  ],
};

/** @throws {RangeError} a sentence about the first mistake. */
export function parseOptions(args: readonly string[]): Options {
  const { filter = null, peers, report = null, save = null, ...rest } = parse(USAGE, args);
  const { minutes = 'Infinity', ...flags } = rest;
  if (!(Number(minutes) > 0))
    throw new RangeError(`expected --minutes of a number above 0, got '${String(minutes)}'.`);
  const { quick, json, list, help: isHelp } = flags;
  const values = {
    filter,
    report,
    save,
    minutes: Number(minutes),
    quick,
    json,
    list,
    help: isHelp,
  };
  return { ...(values as Omit<Options, 'peers'>), peers: parsePeers(peers as string | undefined) };
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

export const help = (): string => helpOf(USAGE);

function wrapped(words: readonly string[], width: number): string[] {
  const lines = [''];
  for (const word of words) {
    if (lines.at(-1)!.length + word.length + 2 > width) lines.push('');
    lines.push(`${lines.pop()!}  ${word}`);
  }
  return lines;
}
