// The command line of the benchmark.
import { describe, expect, it } from 'vitest';

import { help, parseOptions } from '../../bench/options.js';

describe('parseOptions', () => {
  it('has every peer and nothing else by default', () => {
    expect(parseOptions([])).toEqual({
      filter: null,
      peers: ['pytorch', 'onnxruntime', 'tensorflow', 'deepbox'],
      report: null,
      save: null,
      quick: false,
      minutes: Infinity,
      json: false,
      list: false,
      help: false,
    });
  });

  it('reads values and flags', () => {
    const args = [
      '--filter',
      'step, forward',
      '--peers=pytorch,deepbox',
      '--quick',
      '--save',
      'a',
      '--minutes=5',
    ];
    expect(parseOptions(args)).toMatchObject({
      filter: 'step, forward',
      peers: ['pytorch', 'deepbox'],
      quick: true,
      minutes: 5,
      save: 'a',
    });
    expect(parseOptions(['--peers', 'none']).peers).toEqual([]);
  });

  it.each([
    [
      ['--peers', 'torch'],
      "expected --peers of pytorch, onnxruntime, tensorflow, deepbox or none, got 'torch'.",
    ],
    [['--filter'], 'expected --filter <names>, got nothing.'],
    [['--report='], 'expected --report <file>, got nothing.'],
    [['--minutes=soon'], "expected --minutes of a number above 0, got 'soon'."],
    [['--json=1'], "expected --json without a value, got '1'."],
    [
      ['forward'],
      "expected one of --filter, --peers, --report, --save, --minutes, --quick, --json, --list, --help, got 'forward'.",
    ],
    [
      ['--fast'],
      "expected one of --filter, --peers, --report, --save, --minutes, --quick, --json, --list, --help, got '--fast'.",
    ],
  ])('refuses %j in one sentence', (args, sentence) => {
    expect(() => parseOptions(args)).toThrow(new RangeError(sentence));
  });

  it('names every option in its help, in lines of a terminal', () => {
    for (const name of Object.keys(parseOptions([]))) expect(help()).toContain(`--${name}`);
    for (const each of help().split('\n')) expect(each.length).toBeLessThanOrEqual(92);
  });
});
