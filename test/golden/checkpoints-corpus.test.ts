// Safetensors headers of every kind, right and wrong: what is said of each, and whether the reference
// implementation agrees. scripts/golden/checkpoints.py makes the files and asks it.
import { checkpoint, type StateDict } from 'evenkeel';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const corpus = JSON.parse(
  readFileSync(new URL('data/checkpoints/corpus.json', import.meta.url), 'utf8'),
) as {
  readonly safetensors: string;
  readonly cases: readonly {
    readonly name: string;
    readonly bytes: string;
    readonly reference: 'accepts' | 'rejects';
  }[];
};

/** What the reference lets through and we refuse; docs/checkpoints.md lists these. */
const STRICTER = [
  // its README: "MUST begin with a {", "duplicate keys are disallowed"
  'a blank first',
  'a name twice',
  'an unknown field twice',
  'a key of metadata twice',
  // what its JSON library takes for the same, and no format says so
  'a dtype as an object',
  'a tensor as an array',
  // what a number of JavaScript, a tensor here, or NumPy could not hold
  'a size past 2^53 beside a zero',
  '65 dimensions',
  'a dtype of 8-bit floats',
  'a dtype of complex numbers',
  'a uint64 past 2^63',
];

const DTYPES = 'F32, F64, I32, I64, F16, BF16, BOOL, I8, U8, I16, U16, U32, U64';

/** By name: the tensors and metadata, or what was expected and what was there. */
const OUTCOMES = new Map([
  ['one tensor', 'accepted: "a" Tensor([1], float32) 0'],
  ['nothing', 'at least the 8 bytes of a header length, got 0 bytes.'],
  ['seven bytes', 'at least the 8 bytes of a header length, got 7 bytes.'],
  ['no header', "a header that begins with '{', got no header."],
  ['a header past the end', 'a header of at most 58 bytes, got 59.'],
  ['a header length of 2^64 - 1', 'a header of at most 58 bytes, got 18446744073709551615.'],
  ['a header length of 2^63', 'a header of at most 58 bytes, got 9223372036854775808.'],
  ['a header over 100,000,000 bytes', 'a header of at most 58 bytes, got 100000001.'],
  ['an empty object', 'accepted: '],
  ['an array', "a header that begins with '{', got byte 0x5b."],
  ['a byte order mark', "a header that begins with '{', got byte 0xef."],
  ['bytes that are not UTF-8', 'a header in UTF-8, got other bytes.'],
  ['a surrogate in UTF-8', 'a header in UTF-8, got other bytes.'],
  ['a blank first', "a header that begins with '{', got byte 0x20."],
  ['a new line last', 'accepted: "a" Tensor([1], float32) 0'],
  ['blanks of every kind between', 'accepted: "a" Tensor([1], float32) 0'],
  [
    'a vertical tab',
    '\':\' after a name at character 4 of the header, got \'\\u{b}:{"dtype"\\u{b}:"F32","s\'.',
  ],
  ['a NUL last', "nothing after the object at character 54 of the header, got '\\u{0}'."],
  ['two objects', "nothing after the object at character 54 of the header, got '{}'."],
  ['an object that does not end', "',' or '}' at character 53 of the header, got its end."],
  ['a string that does not end', 'a string that ends at character 3 of the header, got its end.'],
  ['a comma too many', "a name in quotes at character 54 of the header, got '}'."],
  [
    'a name without quotes',
    'a name in quotes at character 1 of the header, got \'a:{"dtype":"F32","sh\'.',
  ],
  ['a hole', "'b' to begin where the tensor before it ends, at 4 (no holes, no overlaps), got 8."],
  [
    'a hole first',
    "'a' to begin where the tensor before it ends, at 0 (no holes, no overlaps), got 4.",
  ],
  [
    'an overlap',
    "'b' to begin where the tensor before it ends, at 4 (no holes, no overlaps), got 2.",
  ],
  [
    'the same bytes twice',
    "'b' to begin where the tensor before it ends, at 4 (no holes, no overlaps), got 0.",
  ],
  [
    'reversed offsets',
    "'a' to begin where the tensor before it ends, at 0 (no holes, no overlaps), got 4.",
  ],
  ['one offset', "'a' to have dtype, shape and two data_offsets, got too few offsets."],
  ['three offsets', "at most 2 numbers in the data_offsets of 'a', got more."],
  [
    'offsets as an object',
    'the data_offsets of \'a\' to be an array at character 47 of the header, got \'{"start":0,"end":4}}\'.',
  ],
  ['a span too short', "data_offsets of 'a' that span the 4 bytes of shape [1], got [0, 3]."],
  ['data missing', '4 bytes after the header, got 3.'],
  ['data left over', '4 bytes after the header, got 5.'],
  ['no data at all', '4 bytes after the header, got 0.'],
  ['tensors out of order', 'accepted: "a" Tensor([1], float32) 0; "b" Tensor([1], float32) 0'],
  ['float32 from an odd byte on', 'accepted: "b" Tensor([1], int32) 7; "a" Tensor([1], float32) 1'],
  [
    '2.0',
    "whole numbers from 0 to 2^53 - 1 in the shape of 'a' at character 32 of the header, got '1.0'.",
  ],
  [
    '2e0',
    "whole numbers from 0 to 2^53 - 1 in the shape of 'a' at character 32 of the header, got '1e0'.",
  ],
  [
    '-0',
    "whole numbers from 0 to 2^53 - 1 in the data_offsets of 'a' at character 50 of the header, got '-0'.",
  ],
  [
    'a number in quotes',
    'whole numbers from 0 to 2^53 - 1 in the shape of \'a\' at character 29 of the header, got \'"1"],"data_offsets":\'.',
  ],
  [
    'a negative number',
    "whole numbers from 0 to 2^53 - 1 in the shape of 'a' at character 31 of the header, got '-1'.",
  ],
  ['01', "',' or ']' at character 30 of the header, got '1],\"data_offsets\":[0'."],
  [
    '+1',
    "whole numbers from 0 to 2^53 - 1 in the shape of 'a' at character 29 of the header, got '+1],\"data_offsets\":['.",
  ],
  [
    'NaN',
    "whole numbers from 0 to 2^53 - 1 in the shape of 'a' at character 29 of the header, got 'NaN],\"data_offsets\":'.",
  ],
  [
    'null as a size',
    "whole numbers from 0 to 2^53 - 1 in the shape of 'a' at character 29 of the header, got 'null],\"data_offsets\"'.",
  ],
  [
    'sizes in sizes',
    "whole numbers from 0 to 2^53 - 1 in the shape of 'a' at character 29 of the header, got '[1]],\"data_offsets\":'.",
  ],
  [
    'a product past 2^64',
    "'a' to have less than 2^64 bytes, got shape [4294967296, 4294967296, 4294967296].",
  ],
  [
    'a product past 2^64 before a zero',
    "'a' to have less than 2^64 bytes, got shape [4294967296, 4294967296, 0].",
  ],
  [
    'a product below 2^64 before a zero',
    'accepted: "a" Tensor([1073741824, 1073741824, 0], float32) ',
  ],
  [
    'a size past 2^64',
    "whole numbers from 0 to 2^53 - 1 in the shape of 'a' at character 49 of the header, got '18446744073709551616'.",
  ],
  [
    'a size past 2^53 beside a zero',
    "whole numbers from 0 to 2^53 - 1 in the shape of 'a' at character 47 of the header, got '9007199254740993'.",
  ],
  [
    'an offset past 2^53',
    "whole numbers from 0 to 2^53 - 1 in the data_offsets of 'a' at character 66 of the header, got '9007199254740993'.",
  ],
  ['a scalar', 'accepted: "a" Tensor([], float32) 0'],
  ['no elements', 'accepted: "a" Tensor([0, 3], float32) '],
  [
    '64 dimensions',
    'accepted: "a" Tensor([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], float32) 0',
  ],
  ['65 dimensions', "at most 64 numbers in the shape of 'a', got more."],
  ['an unknown dtype', `the dtype of 'a' to be one of ${DTYPES}, got 'F31'.`],
  ['a dtype in lower case', `the dtype of 'a' to be one of ${DTYPES}, got 'f32'.`],
  ['a dtype of 8-bit floats', `the dtype of 'a' to be one of ${DTYPES}, got 'F8_E4M3'.`],
  ['a dtype of complex numbers', `the dtype of 'a' to be one of ${DTYPES}, got 'C64'.`],
  [
    'a dtype that is a number',
    "the dtype of 'a' as a string at character 14 of the header, got '32,\"shape\":[1],\"data'.",
  ],
  [
    'a dtype as an object',
    'the dtype of \'a\' as a string at character 14 of the header, got \'{"F32":null},"shape"\'.',
  ],
  ['a uint64 past 2^63', "uint64 values of 'a' below 2^63, got 18446744073709551615 at index 0."],
  ['no dtype', "'a' to have dtype, shape and two data_offsets, got no dtype."],
  ['no shape', "'a' to have dtype, shape and two data_offsets, got no shape."],
  ['no offsets', "'a' to have dtype, shape and two data_offsets, got no data_offsets."],
  ['null for a tensor', "'a' to be an object at character 5 of the header, got 'null}'."],
  [
    'a tensor as an array',
    "'a' to be an object at character 5 of the header, got '[\"F32\",[1],[0,4]]}'.",
  ],
  ['an unknown field', 'accepted: "a" Tensor([1], float32) 0'],
  ['an unknown field of any JSON', 'accepted: "a" Tensor([1], float32) 0'],
  ['NaN in an unknown field', "a JSON value at character 57 of the header, got 'NaN}}'."],
  ['1e999 in an unknown field', "a JSON value at character 62 of the header, got '1e999'."],
  ['nested 125 deep', 'accepted: "a" Tensor([1], float32) 0'],
  ['nested 126 deep', 'at most 127 levels of nesting at character 183 of the header, got more.'],
  ['a field twice', "each name once at character 60 of the header, got a second 'shape'."],
  ['an unknown field twice', "each name once at character 62 of the header, got a second 'x'."],
  ['a name twice', "each name once at character 57 of the header, got a second 'a'."],
  ['an empty name', 'accepted: "" Tensor([1], float32) 0'],
  ['the name __proto__', 'accepted: "__proto__" Tensor([1], float32) 0'],
  ['a name with escapes', 'accepted: "é😀\\n/" Tensor([1], float32) 0'],
  [
    'half a surrogate pair',
    "well-formed Unicode at character 9 of the header, got '\\u{d800}' with half of a surrogate pair.",
  ],
  [
    'surrogates the wrong way round',
    "well-formed Unicode at character 15 of the header, got '\\u{de00}\\u{d83d}' with half of a surrogate pair.",
  ],
  [
    'an escape that JSON does not know',
    "an escape that JSON knows at character 7 of the header, got '\\x'.",
  ],
  ['an escape cut short', "an escape that JSON knows at character 8 of the header, got '\\u'."],
  [
    'a control character',
    'no control character at character 3 of the header, got \'\\u{1}":{"dtype":"F32","s\'.',
  ],
  ['a delete character', 'accepted: "a" Tensor([1], float32) 0'],
  ['metadata', 'accepted: "a" Tensor([1], float32) 0 format=pt __proto__=x'],
  ['empty metadata', 'accepted: "a" Tensor([1], float32) 0'],
  ['null for metadata', 'accepted: "a" Tensor([1], float32) 0'],
  [
    'a number in metadata',
    'the metadata \'epoch\' to be a string at character 25 of the header, got \'1},"a":{"dtype":"F32\'.',
  ],
  [
    'an object in metadata',
    'the metadata \'epoch\' to be a string at character 25 of the header, got \'{}},"a":{"dtype":"F3\'.',
  ],
  [
    'null in metadata',
    'the metadata \'epoch\' to be a string at character 25 of the header, got \'null},"a":{"dtype":"\'.',
  ],
  [
    'an array for metadata',
    '__metadata__ to be an object at character 16 of the header, got \'[],"a":{"dtype":"F32\'.',
  ],
  ['metadata twice', "each name once at character 33 of the header, got a second '__metadata__'."],
  ['a key of metadata twice', "each name once at character 28 of the header, got a second 'a'."],
]);

const describeState = (state: StateDict): string => {
  const tensors = [...state].map(([name, each]) => {
    const values = [...each.data].join();
    return `${JSON.stringify(name)} Tensor([${each.shape.join(', ')}], ${each.dtype}) ${values}`;
  });
  const metadata = [...state.metadata].map(([key, text]) => ` ${key}=${text}`);
  return `accepted: ${tensors.join('; ')}${metadata.join('')}`;
};

describe('safetensors headers', () => {
  let path = '';
  beforeAll(() => {
    path = join(mkdtempSync(join(tmpdir(), 'evenkeel-corpus-')), 'case');
  });
  afterAll(() => rmSync(join(path, '..'), { recursive: true, force: true }));

  test('the table has the cases of the corpus', () => {
    expect([...OUTCOMES.keys()]).toEqual(corpus.cases.map(({ name }) => name));
  });

  test.each(corpus.cases)('$name', async ({ name, bytes }) => {
    writeFileSync(path, Buffer.from(bytes, 'base64'));
    const said = await checkpoint.loadSafetensors(path).then(describeState, String);
    const outcome = OUTCOMES.get(name)!;
    expect(said).toBe(
      outcome.startsWith('accepted')
        ? outcome
        : `RangeError: loadSafetensors: case: expected ${outcome}`,
    );
  });

  test(`safetensors ${corpus.safetensors} rejects the same, but for the cases listed`, () => {
    const differ = corpus.cases.filter(
      ({ name, reference }) =>
        OUTCOMES.get(name)!.startsWith('accepted') !== (reference === 'accepts'),
    );
    expect(differ.map(({ name }) => name).sort()).toEqual([...STRICTER].sort());
    expect(differ.every(({ reference }) => reference === 'accepts')).toBe(true);
  });
});
