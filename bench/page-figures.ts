// Puts the figures of docs/showcases.json, training-steps.json, convolutions.json, native-operations.json, server.json and
// server-saturated.json on their pages:
// `npx tsx bench/page-figures.ts`, or `--check`, which changes nothing and ends with 1 where a page says something else.
// Longer than 250 lines because each table is one function.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { format, resolveConfig } from 'prettier';

import {
  nativeOperationsTable,
  type Machine as AnyMachine,
  type NativeOperations,
} from './native-operations.js';

interface Epoch {
  readonly loss: number;
  readonly seconds: number;
  readonly running: number;
  readonly recalibrated: number;
  readonly auc: number;
  readonly findings: readonly string[];
}

interface Peer {
  readonly version: string;
  readonly epochs: readonly Epoch[];
  readonly secondsAnEpoch: Readonly<Record<string, number>>;
}

interface Showcase {
  readonly epochs: readonly Epoch[];
  readonly secondsAnEpoch: number;
  readonly seconds: number;
  readonly auc?: number;
  readonly bestEpoch?: number;
  readonly importance?: readonly { readonly column: string; readonly lost: number }[];
  readonly pytorch?: Peer;
}

interface Machine extends AnyMachine {
  readonly pytorch?: string;
  /** Of the system, over the last minute of the run. */
  readonly loadAfter?: number;
}

type Showcases = Readonly<Record<'pointnet' | 'spam' | 'birdstrikes', Showcase>> & {
  readonly machine: Machine;
};

interface Step {
  readonly batch: readonly number[];
  readonly parameters: number;
  readonly milliseconds: Readonly<Record<string, number>>;
  readonly ratio: { readonly median: number; readonly low: number; readonly high: number };
  readonly shares: Readonly<Record<string, number>>;
}

type Delay = Readonly<Record<'p50' | 'p99' | 'max', number>>;

interface Load {
  readonly connections: number;
  /** Requests a second that were sent; 0: as many as were answered. */
  readonly rate?: number;
  readonly seconds: number;
  readonly answers: number;
  readonly answersPerSecond: number;
  readonly latency: Delay;
  /** Of an idle process beside the server. */
  readonly idleDelay?: Delay;
  readonly errors: readonly string[];
  readonly code: number | null;
  readonly metrics: {
    readonly batches: number;
    readonly inputs: number;
    readonly eventLoopDelay: Delay;
  };
  readonly samples: readonly {
    readonly second: number;
    readonly memory: { readonly rss: number };
  }[];
}

const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const read = (name: string): unknown =>
  existsSync(docs + name) ? JSON.parse(readFileSync(docs + name, 'utf8')) : undefined;
const percent = (part: number): string => `${(100 * part).toFixed(2)} %`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
const machineOf = ({ date, cpu, cores, threads, isa, node }: Machine): string =>
  `The run of ${date}: ${cpu}, ${cores} cores, shared with other work; ${isa} kernels on ${threads === 1 ? '1 thread' : `${threads} threads`}, Node ${node}`;

const BY_STATISTICS = ['epoch', 'loss', 'running statistics', 'recalibrated'];
const byStatistics = ({ loss, running, recalibrated }: Epoch, i: number): string[] => [
  String(i + 1),
  loss.toFixed(4),
  percent(running),
  percent(recalibrated),
];

function showcases(all: Showcases): Record<string, string> {
  const { pointnet, spam, birdstrikes, machine } = all;
  return {
    pointnet: table(
      [...BY_STATISTICS, 'the doctor finds'],
      pointnet.epochs.map((each, i) => [
        ...byStatistics(each, i),
        each.findings.join(', ') || 'nothing',
      ]),
    ),
    spam: table(
      [...BY_STATISTICS, 'area under the ROC curve'],
      spam.epochs.map((each, i) => [...byStatistics(each, i), each.auc.toFixed(4)]),
    ),
    birdstrikes:
      `Area under the ROC curve on 2,000 test strikes: ${birdstrikes.auc!.toFixed(4)}, by the weights of epoch ` +
      `${birdstrikes.bestEpoch} of ${birdstrikes.epochs.length}. What it loses when one column is mixed among the strikes: ` +
      `${birdstrikes
        .importance!.slice(0, 5)
        .map(({ column, lost }) => `${column} ${lost.toFixed(3)}`)
        .join(', ')}.`,
    ...([pointnet, spam, birdstrikes].every(({ pytorch }) => pytorch !== undefined) && {
      pytorch: `${table(
        [
          'showcase',
          'evenkeel',
          'PyTorch',
          's an epoch, evenkeel',
          's an epoch, PyTorch',
          'PyTorch / evenkeel',
        ],
        Object.entries({ pointnet, spam, birdstrikes }).map(([name, each]) => peerRow(name, each)),
      )}\n\n${machineOf(machine)}, PyTorch ${pointnet.pytorch?.version ?? ''}.`,
    }),
  };
}

function peerRow(name: string, { epochs, auc, secondsAnEpoch, pytorch }: Showcase): string[] {
  const last = epochs.at(-1)!;
  const said = (epoch: Epoch): string =>
    name === 'birdstrikes'
      ? `AUC ${Math.max(...(pytorch?.epochs ?? []).map((each) => each.auc)).toFixed(4)} at best`
      : `${percent(epoch.running)} after ${pytorch!.epochs.length}`;
  const ours = auc === undefined ? percent(last.running) : `AUC ${auc.toFixed(4)}`;
  if (pytorch === undefined) return [name, ours, '', secondsAnEpoch.toFixed(2), '', ''];
  const theirs = Math.min(...Object.values(pytorch.secondsAnEpoch));
  return [
    name,
    ours,
    said(pytorch.epochs.at(-1)!),
    secondsAnEpoch.toFixed(2),
    theirs.toFixed(2),
    `${(theirs / secondsAnEpoch).toFixed(2)}×`,
  ];
}

function steps(all: Readonly<Record<string, Step>> & { readonly machine: Machine }): string {
  const { machine, ...models } = all;
  const rows = Object.entries(models).map(([name, { batch, milliseconds, ratio }]) => {
    const theirs = Object.entries(milliseconds).filter(([key]) => key.startsWith('pytorch'));
    return [
      `${name} [${batch.join(', ')}]`,
      milliseconds['evenkeel']!.toFixed(1),
      Math.min(...theirs.map(([, ms]) => ms)).toFixed(1),
      `${ratio.median.toFixed(2)}× (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`,
    ];
  });
  const shares = Object.entries(models).map(([name, { shares }]) => {
    const largest = Object.entries(shares)
      .sort(([, a], [, b]) => b - a)
      .slice(0, 8);
    return `- ${name}: ${largest.map(([call, share]) => `${call} ${Math.round(100 * share)} %`).join(', ')}`;
  });
  return (
    `${table(['step', 'evenkeel, ms', 'PyTorch, ms', 'PyTorch / evenkeel'], rows)}\n\n` +
    `Where the time of ours goes, by native call:\n\n${shares.join('\n')}\n\n` +
    `${machineOf(machine)}, PyTorch ${machine.pytorch ?? ''}.`
  );
}

function server({ machine, ...load }: Load & { readonly machine: Machine }): string {
  const { latency, metrics, samples, errors, seconds } = load;
  const { rate = 0, idleDelay } = load;
  const delays = ({ p50, p99, max }: Delay): string =>
    [p50, p99, max].map((ms) => `${ms.toFixed(1)} ms`).join(', ');
  const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
  const resident = samples.map(({ memory }) => memory.rss);
  const half = Math.floor(resident.length / 2);
  const rows = [
    ['answers a second', Math.round(load.answersPerSecond).toLocaleString('en-US')],
    ['answers in a forward', (metrics.inputs / metrics.batches).toFixed(1)],
    ['latency p50, p99, most', delays(latency)],
    ['event-loop delay p50, p99, most', delays(metrics.eventLoopDelay)],
    ...(idleDelay ? [['the same of an idle process beside it', delays(idleDelay)]] : []),
    ['errors, wrong answers', String(errors.length)],
    [
      'resident memory: start, half, end',
      [resident[0]!, resident[half]!, resident.at(-1)!].map(mb).join(', '),
    ],
    ['exit code after SIGTERM', String(load.code)],
  ];
  return (
    `${table([`${load.connections} connections, ${rate === 0 ? 'as fast as it answers' : `${rate} requests a second`}, ${(seconds / 60).toFixed(1)} minutes, ${load.answers.toLocaleString('en-US')} answers`, ''], rows)}\n\n` +
    `${machineOf(machine)}, load average ${machine.loadAfter!.toFixed(1)}${machine.loadAfter! > 2 * machine.cores ? ': other work had most of both cores' : ''}.`
  );
}

interface Convolutions {
  readonly machine: Machine & { readonly peak: number };
  readonly shapes: Readonly<
    Record<
      string,
      Readonly<
        Record<'forward' | 'backward', Readonly<Record<'evenkeel' | 'copy' | 'pytorch', number>>>
      > & { readonly operations: number }
    >
  >;
}

/** µs; the limit is the multiply-adds at their peak, or a copy of the bytes where that takes longer. */
function convolutions({ machine, shapes }: Convolutions): string {
  const passes = ['forward', 'backward'] as const;
  const figures = Object.entries(shapes).map(([name, shape]) => ({
    name,
    of: passes.map((pass) => {
      const { evenkeel, copy, pytorch } = shape[pass];
      const products = ((pass === 'forward' ? 1 : 2) * shape.operations) / machine.peak / 1e3;
      return { evenkeel, pytorch, limit: Math.max(products, copy) };
    }),
  }));
  const us = (value: number): string => Math.round(value).toLocaleString('en-US');
  const share = (value: number): string => `${Math.round(100 * value)} %`;
  const times = (value: number): string => `${value.toFixed(2)}×`;
  const mean = (
    pass: number,
    of: (each: (typeof figures)[number]['of'][number]) => number,
  ): number =>
    Math.exp(figures.reduce((sum, each) => sum + Math.log(of(each.of[pass]!)), 0) / figures.length);
  const head = ['limit', 'ours', 'share', 'PyTorch', 'PyTorch / ours', 'PyTorch / limit'];
  const tables = passes.map((pass, i) =>
    table(
      [pass, ...head],
      [
        ...figures.map(({ name, of }) => {
          const { limit, evenkeel, pytorch } = of[i]!;
          const [part, ratio, most] = [limit / evenkeel, pytorch / evenkeel, pytorch / limit];
          return [
            name,
            us(limit),
            us(evenkeel),
            share(part),
            us(pytorch),
            times(ratio),
            times(most),
          ];
        }),
        [
          ...['geometric mean', '', '', share(mean(i, (each) => each.limit / each.evenkeel)), ''],
          times(mean(i, (each) => each.pytorch / each.evenkeel)),
          times(mean(i, (each) => each.pytorch / each.limit)),
        ],
      ],
    ),
  );
  const out = figures.filter(({ of }) => of[0]!.pytorch < 2 * of[0]!.limit).map(({ name }) => name);
  return (
    `${tables.join('\n\n')}\n\nThe run of ${machine.date}: ${machine.cpu}, ${machine.cores} cores; ${machine.isa} kernels on ` +
    `${machine.threads} threads, Node ${machine.node}, PyTorch ${machine.pytorch ?? ''}. Multiply-adds at their peak: ` +
    `${Math.round(machine.peak)} GFLOP/s of all cores in the median.\n\n` +
    `At the limit itself the mean of the forward would be ${times(mean(0, (each) => each.pytorch / each.limit))}. ` +
    `Even there these shapes would not be twice as fast as PyTorch: ${out.join(', ') || 'none'}.`
  );
}

async function fill(
  page: string,
  sections: Readonly<Record<string, string>>,
  kind = 'figures',
): Promise<boolean> {
  const path = docs + page;
  const before = readFileSync(path, 'utf8');
  let text = before;
  for (const [name, content] of Object.entries(sections)) {
    const [open, close] = [`<!-- ${kind}: ${name} -->`, `<!-- /${kind} -->`];
    const start = text.indexOf(open);
    if (start < 0) throw new Error(`${page}: expected ${open}, got none.`);
    const end = text.indexOf(close, start);
    text = `${text.slice(0, start)}${open}\n\n${content}\n\n${text.slice(end)}`;
  }
  text = await format(text, { ...(await resolveConfig(path)), filepath: path });
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  return text === before;
}

const given = read('showcases.json') as Showcases;
const stepsGiven = read('training-steps.json') as Parameters<typeof steps>[0] | undefined;
const load = read('server.json') as Parameters<typeof server>[0] | undefined;
const fastest = read('server-saturated.json') as typeof load;
const convolved = read('convolutions.json') as Convolutions | undefined;
const operations = read('native-operations.json') as NativeOperations;
const same = [
  await fill('showcases.md', {
    ...showcases(given),
    ...(stepsGiven && { steps: steps(stepsGiven) }),
  }),
  await fill('server.md', {
    ...(load && { server: server(load) }),
    ...(fastest && { saturation: server(fastest) }),
  }),
  // The other blocks of this page are those of bench/results.
  await fill(
    'performance.md',
    {
      operations: nativeOperationsTable(operations),
      ...(convolved && { convolutions: convolutions(convolved) }),
    },
    'run',
  ),
];
if (process.argv.includes('--check') && same.includes(false)) process.exitCode = 1;
