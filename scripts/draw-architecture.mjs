// `node scripts/draw-architecture.mjs`: draws docs/pictures/architecture.svg, the rooms of the code and which may use
// which, from the rules that `npm run rooms` holds the tree to. test/packaging/rooms.test.ts draws it anew and compares.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { mayUse } from '../dependency-cruiser.config.mjs';
import { root } from './tools.mjs';

/** What is in a room, and which step of `bn.forward(x)` it takes. */
/** @type {Record<string, readonly [text: string, step?: string]>} */
const ROOMS = {
  cli: ['the command evenkeel'],
  doctor: ['findings, watch, mend'],
  distributed: ['several processes'],
  nn: ['layers, modules, BatchNorm', '1'],
  optim: ['optimisers, schedules'],
  data: ['data sets, loaders'],
  checkpoint: ['safetensors, torch'],
  report: ['pages with charts'],
  functional: ['forward beside backward', '2'],
  tensor: ['Tensor, scope, state dict'],
  run: ['native calls, now or later', '3'],
  autograd: ['the tape, the walk back', '7'],
  memory: ['pool, buffers, dtypes'],
  addon: ['finds and loads it'],
  check: ['arguments and messages'],
};
const BELOW = [
  ['binding', 'knows Node, no arithmetic: arguments of a call, jobs', '4'],
  ['native/runtime', 'threads, jobs, scratch memory'],
  ['native/batchnorm, math', 'one operation each, cut by shape', '5'],
  ['native/kernels', 'loops, written once over 16 lanes', '6'],
  ['native/simd', 'AVX-512, AVX2, NEON, scalar'],
];

const [WIDTH, BOX, HEIGHT, ROW, TOP] = [980, 190, 46, 82, 56];
const folders = readdirSync(join(root, 'src'), { withFileTypes: true });
const rooms = folders.filter((each) => each.isDirectory()).map(({ name }) => name);

/** What a room uses that nothing else that it uses leads to. */
const arrows = new Map(
  rooms.map((room) => {
    const used = (mayUse[room] ?? []).filter((each) => rooms.includes(each));
    const through = new Set(used.flatMap((each) => mayUse[each] ?? []));
    return [room, used.filter((each) => !through.has(each))];
  }),
);

/** @type {(room: string) => number} */
const lowest = (room) => Math.max(-1, ...(arrows.get(room) ?? []).map(lowest)) + 1;
/** Just below what uses it, where that is higher: short arrows. @type {(room: string) => number} */
const level = (room) => {
  const users = rooms.filter((each) => arrows.get(each)?.includes(room));
  return room === 'report' ? Math.min(...users.map(level)) - 1 : lowest(room);
};

const levels = Math.max(...rooms.map(level)) + 1;
/** @type {Map<string, readonly [x: number, y: number]>} */
const places = new Map();
for (let i = 0; i < levels; i++) {
  const row = Object.keys(ROOMS).filter((room) => rooms.includes(room) && level(room) === i);
  const step = (WIDTH - 40) / row.length;
  row.forEach((room, k) => {
    const x =
      room === 'report' ? 20 : row.includes('report') ? 747 : 20 + step * (k + 0.5) - BOX / 2;
    places.set(room, [x, TOP + ROW * (levels - 1 - i)]);
  });
}

const unknown = rooms.filter((room) => ROOMS[room] === undefined);
if (unknown.length > 0)
  throw new Error(`expected a text for each room, got none for ${unknown.join()}.`);

const native = TOP + ROW * levels + 24;
const parts = [
  box(WIDTH / 2 - BOX / 2, 6, BOX, 30, 'index.ts', '', undefined, 'door'),
  ...[...arrows].flatMap(([room, used]) => used.map((other) => arrow(room, other))),
  ...[...places].map(([room, [x, y]]) => box(x, y, BOX, HEIGHT, room, ...(ROOMS[room] ?? ['']))),
  `<path class="border" d="M20 ${native - 20}H${WIDTH - 20}"/>`,
  text(WIDTH - 20, native - 26, 'TypeScript, src/', 'soft end'),
  text(WIDTH - 20, native - 8, 'C++', 'soft end'),
  ...BELOW.map(([name = '', what = '', step], i) => {
    const [x, width] =
      i === 0 ? [20, WIDTH - 40] : [20 + ((i - 1) * (WIDTH - 40)) / 4, (WIDTH - 40) / 4 - 12];
    return box(x, native + (i === 0 ? 0 : 68), width, HEIGHT, name, what, step, 'native');
  }),
  ...[134, 369].map((x) => line(x, native + HEIGHT, x, native + 66)),
  ...['M254 $h-9', 'M479 $h9', 'M714 $h9'].map(
    (way) =>
      `<path class="arrow" marker-end="url(#tip)" d="${way.replace('$', String(native + 91))}"/>`,
  ),
  text(
    20,
    native + 140,
    `The way of bn.forward(x): the numbers in circles. An arrow is "uses"; what an arrow leads to may also be used from further up.`,
    'soft start',
  ),
];

/** @param {string} room @param {string} other */
function arrow(room, other) {
  const [[x, y], [to, below]] = /** @type {[[number, number], [number, number]]} */ ([
    places.get(room),
    places.get(other),
  ]);
  if (room !== 'report') return line(x + BOX / 2, y + HEIGHT, to + BOX / 2, below - 2);
  // Past all that is between them.
  return `<path class="arrow" marker-end="url(#tip)" d="M${x} ${y + 23}H8V${below + 23}H${to - 2}"/>`;
}

/** @param {number} x @param {number} y @param {number} to @param {number} below */
function line(x, y, to, below) {
  const middle = (y + below) / 2;
  return `<path class="arrow" marker-end="url(#tip)" d="M${x} ${y}C${x} ${middle} ${to} ${middle} ${to} ${below}"/>`;
}

/** @param {number} x @param {number} y @param {number} width @param {number} height @param {string} name @param {string} what @param {string} [step] */
function box(x, y, width, height, name, what, step, kind = 'room') {
  const middle = x + width / 2;
  const circle =
    `<circle class="step" cx="${x}" cy="${y}" r="10"/>` + text(x, y + 4, step ?? '', 'number');
  return (
    `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>` +
    text(middle, y + (what === '' ? 20 : 20), name, 'name') +
    (what === '' ? '' : text(middle, y + 37, what, 'soft')) +
    (step === undefined ? '' : circle)
  );
}

/** @param {number} x @param {number} y @param {string} content */
function text(x, y, content, kind = '') {
  return `<text class="${kind}" x="${x}" y="${y}">${content.replaceAll('"', '&quot;')}</text>`;
}

const style = `:root{color-scheme:light dark;--ground:#fff;--ink:#1b1f24;--soft:#5b6570;--rule:#9aa4af;--panel:#f6f8fa;--blue:#0072b2;--native:#fdf4e3}
@media (prefers-color-scheme:dark){:root{--ground:#14171b;--ink:#e6e9ed;--soft:#9aa4af;--rule:#6b7580;--panel:#1f252c;--blue:#4aa8e0;--native:#2b2618}}
svg{background:var(--ground);font:13px system-ui,'DejaVu Sans',sans-serif}text{fill:var(--ink)}rect{fill:var(--panel);stroke:var(--rule)}
.native{fill:var(--native)}.door{stroke-dasharray:4 3}.name,.soft,.number{text-anchor:middle}.name{font-weight:600}.soft{fill:var(--soft);font-size:11px}
.soft.end{text-anchor:end}.arrow{fill:none;stroke:var(--rule);stroke-width:1.3}.border{stroke:var(--rule);stroke-dasharray:2 4}
.step{fill:var(--blue)}.number{fill:#fff;font-size:12px;font-weight:600}.tip{fill:var(--rule)}.soft.start{text-anchor:start}`;
const size = [WIDTH, native + 156];
writeFileSync(
  process.argv[2] ?? join(root, 'docs', 'pictures', 'architecture.svg'),
  `<svg xmlns="http://www.w3.org/2000/svg" width="${size[0]}" height="${size[1]}" viewBox="0 0 ${size.join(' ')}" role="img" ` +
    `aria-label="The rooms of src, the binding and native, and which uses which."><style>${style}</style>` +
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">' +
    `<path class="tip" d="M0 0L8 4L0 8Z"/></marker></defs>\n${parts.join('\n')}\n</svg>\n`,
);
