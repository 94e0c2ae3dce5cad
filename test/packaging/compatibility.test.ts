// docs/compatibility.json is held to what it says: every row has a verdict, every name and every test in it is there,
// COMPATIBILITY.md is made from it, and PyTorch's own tests all have a case in test/parity.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as evenkeel from 'evenkeel';
import { beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Row {
  readonly pytorch: string;
  readonly ours: string;
  readonly verdict: string;
  readonly why?: string;
  readonly tests: readonly string[];
  readonly since?: string;
}

const text = readFileSync(`${root}/docs/compatibility.json`, 'utf8');
const rows = (JSON.parse(text) as { rows: Row[] }[]).flatMap((section) => section.rows);

/** PyTorch's tests of BatchNorm1d that can be told on a CPU in float32 and float64. */
const PYTORCH_TESTS = [
  // test/test_nn.py
  'test_batchnorm_raises_error_if_less_than_one_value_per_channel',
  'test_batchnorm_raises_error_if_running_mean_is_not_same_size_as_input',
  'test_batchnorm_raises_error_if_running_var_is_not_same_size_as_input',
  'test_batchnorm_raises_error_if_weight_is_not_same_size_as_input',
  'test_batchnorm_raises_error_if_bias_is_not_same_size_as_input',
  'test_batchnorm_buffer_update_when_stats_are_not_tracked',
  'test_batchnorm_load_state_dict',
  'test_load_state_dict_BC',
  'test_load_state_dict',
  'test_batch_norm_update_stats',
  'test_batchnorm_nhwc_cpu',
  'test_batchnorm_non_contig_cpu',
  'test_batchnorm_large_batch',
  'test_convert_sync_batchnorm',
  'test_BatchNorm_empty',
  'test_batchnorm_grad',
  'test_batchnorm_eval',
  'test_batchnorm_affine',
  'test_batchnorm_simple_average',
  'test_batchnorm_update_stats',
  // test/test_modules.py, for each input of ModuleInfo, and the samples of OpInfo
  'test_forward',
  'test_factory_kwargs',
  'test_repr',
  'test_save_load',
  'test_non_contiguous_tensors',
  'test_grad',
  'test_if_train_and_eval_modes_differ',
  'test_errors',
  'sample_inputs_batch_norm',
  // test/cpp/api
  'BatchNorm1dStateful',
  'BatchNorm1dStateless',
  'BatchNorm1d',
  'PrettyPrintBatchNorm1d',
  'functional BatchNorm1d',
  'functional BatchNorm1dDefaultOptions',
  // the rest
  'test_functional_batch_norm',
  'test_lazy_batchnorm1d',
  'test_lazy_batchnorm1d_pickle',
  'test_lazy_batchnorm1d_state',
  'test_lazy_batchnorm_with_dict_input',
  'test_update_bn_dnn',
  'test_update_bn_cnn',
  'test_bn_update_eval_momentum',
  'test_hooks_cpp',
  'test_hook_cpp',
  'test_fuse_module_eval_numerics',
  'test_fuse_linear_bn_requires_grad',
];

/** The full names of the tests that run, by file as the page names it. */
const running = new Map<string, string[]>();

/** `evenkeel` tests that run, from Vitest itself: what is skipped or to be done is not listed. */
function list(files: readonly string[]): void {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|TEST$|MODE$)/.test(name)),
  );
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const output = execFileSync(
    process.execPath,
    [vitest, 'list', ...files, '--json', '--no-isolate', '--maxWorkers=1'],
    { cwd: root, env, encoding: 'utf8', maxBuffer: 2 ** 26, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const listed = JSON.parse(output.slice(output.indexOf('['))) as { name: string; file: string }[];
  for (const { name, file } of listed) {
    const short = relative(`${root}/test`, file)
      .split(sep)
      .join('/')
      .replace(/\.test\.ts$/, '');
    running.set(short, [...(running.get(short) ?? []), name]);
  }
}

/** Whether a test of these names, or the part of it behind a describe, starts so. */
function starts(names: readonly string[], title: string): boolean {
  return names.some((name) => name.startsWith(title) || name.includes(` > ${title}`));
}

beforeAll(() => {
  const named = rows.flatMap(({ tests }) => tests.map((each) => each.split(' › ')[0]!));
  const parity = readdirSync(`${root}/test/parity`)
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `parity/${file.replace('.test.ts', '')}`);
  list([...new Set([...named, ...parity])].map((file) => `test/${file}.test.ts`));
});

describe('every row', () => {
  test('has a verdict: same, or different or absent and why', () => {
    expect(rows.length).toBeGreaterThan(100);
    for (const { pytorch, ours, verdict, why, since = '0.1.0' } of rows) {
      expect(why === undefined, pytorch).toBe(verdict === 'same');
      expect(verdict, pytorch).toMatch(/^(same|different|absent)$/);
      expect(`${pytorch}${ours}${why ?? ''}`, pytorch).not.toMatch(/[|\n]/);
      expect(since, pytorch).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  test('stands once', () => {
    const seen = rows.map((row) => row.pytorch).filter((each) => !each.startsWith('…'));
    expect(seen.filter((each, i) => seen.indexOf(each) !== i).join('\n')).toBe('');
  });

  test('is shown by a test, unless it says what is absent', () => {
    const bare = rows.filter(({ verdict, tests }) => tests.length === 0 && verdict !== 'absent');
    expect(bare.map(({ pytorch }) => pytorch).join('\n')).toBe('');
  });

  test('names what the package has, where it is not absent', () => {
    const missing = rows
      .filter(({ verdict }) => verdict !== 'absent')
      .flatMap(({ ours }) => [
        ...ours.matchAll(/\b(nn|functional|optim|data|checkpoint|native)\.(\w+)/g),
      ])
      .filter(([, room = '', name = '']) => !(name in (evenkeel as Record<string, object>)[room]!));
    expect(missing.map(([name]) => name)).toEqual([]);
  });

  test('names tests that are there and run', () => {
    const wrong = rows.flatMap(({ tests }) =>
      tests.filter((each) => {
        const [file = '', ...title] = each.split(' › ');
        return title.length === 0 || !starts(running.get(file) ?? [], title.join(' > '));
      }),
    );
    expect(wrong.join('\n')).toBe('');
  });
});

test('the page is made from the data', () => {
  const script = `${root}/scripts/compatibility.mjs`;
  expect(execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8' })).toBe('');
});

describe("PyTorch's tests", () => {
  test.each(PYTORCH_TESTS)('%s has a case', (name) => {
    const titles = [...running]
      .filter(([file]) => file.startsWith('parity/'))
      .flatMap(([, names]) => names);
    const own = titles.map((title) => title.split(' > ').at(-1)!);
    expect(own.some((title) => title.startsWith(`${name}:`))).toBe(true);
  });
});
