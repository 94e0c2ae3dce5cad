// Writes COMPATIBILITY.md from docs/compatibility.json: `npm run compatibility`. With --check it only compares.
//
// To add a row, add one line to the section it belongs to in docs/compatibility.json and run this:
//   pytorch   PyTorch's name or behaviour
//   ours      what it is here
//   verdict   "same", "different" or "absent"; the last two with `why`
//   tests     what shows it, as "folder/file › title"
//   since     the version that brought it, if that is not the first one
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** @typedef {{ pytorch: string, ours: string, verdict: string, why?: string, tests: string[], since?: string }} Row */
/** @typedef {{ title: string, text: string, rows: Row[] }} Section */

const root = fileURLToPath(new URL('..', import.meta.url));
/** @type {unknown} */
const data = JSON.parse(readFileSync(`${root}/docs/compatibility.json`, 'utf8'));
const page = pageOf(/** @type {Section[]} */ (data));
const path = `${root}/COMPATIBILITY.md`;

if (!process.argv.includes('--check')) writeFileSync(path, page);
else if (readFileSync(path, 'utf8') !== page) {
  console.error('COMPATIBILITY.md is not what docs/compatibility.json says: npm run compatibility');
  process.exitCode = 1;
}

/** @param {Section[]} sections */
function pageOf(sections) {
  const rows = sections.flatMap((section) => section.rows);
  /** @param {string} verdict */
  const count = (verdict) => rows.filter((row) => row.verdict === verdict).length;
  return [
    '# Coming from PyTorch',
    "Every behaviour of PyTorch 2.13's `BatchNorm1d` and of the module around it, on a CPU: what it does there, and what\n" +
      'it does here. The test that shows a row is named in [docs/compatibility.json](docs/compatibility.json), which this\n' +
      'page is made from.',
    `**${rows.length} rows: ${count('same')} same, ${count('different')} different, ${count('absent')} absent.**`,
    'Names are camelCase, options an object, None is null. State-dict keys stay as they are.',
    ...sections.flatMap(({ title, text, rows: own }) => [
      `## ${title}`,
      ...(text === '' ? [] : [text]),
      ['| PyTorch | evenkeel | |', '| --- | --- | --- |', ...own.map(lineOf)].join('\n'),
    ]),
  ]
    .join('\n\n')
    .concat('\n');
}

/** @param {Row} row */
function lineOf({ pytorch, ours, verdict, why, since }) {
  const reason = why === undefined ? '' : `: ${why}`;
  const version = since === undefined ? '' : ` (since ${since})`;
  return `| ${pytorch} | ${ours} | ${verdict}${reason}${version} |`;
}
