// `npm run bench` and `evenkeel bench`: reads the options, opens the peers, runs the cases, prints.
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { native } from 'evenkeel';

import { caseTitle, type Case } from './cases.js';
import type { Peer } from './contender.js';
import { groupNames, shapeWord } from './filter.js';
import { slug } from './format.js';
import { page } from './html/page.js';
import { commitOf, describeMachine, type Machine } from './machine.js';
import { help, parseOptions, type Options } from './options.js';
import { openPeers } from './peers/all.js';
import { progressBar } from '../src/cli/progress.js';
import {
  busyLines,
  caseBlock,
  footLines,
  groupHead,
  head,
  skippedLines,
  targetLines,
} from './report.js';
import type { CaseResult, Run } from './result.js';
import { planCases, runCase } from './run.js';
import { judge } from './targets.js';

async function main(args: string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.help) {
    console.log(help());
    return;
  }
  const machine = describeMachine();
  const cases = planCases(machine, options.filter, options.quick);
  if (cases.length === 0) {
    const names = groupNames.join(', ');
    throw new RangeError(
      `expected --filter to name a group (${names}), a shape as 256x1024 or a dtype, ` +
        `got '${options.filter ?? ''}'.`,
    );
  }
  if (options.list) {
    for (const { group, operation, shape, dtype } of cases) {
      console.log([group, operation, shapeWord(shape), dtype].filter((word) => word).join(' '));
    }
    return;
  }
  const run = await measureAll(cases, machine, options);
  if (options.json) console.log(JSON.stringify(run, null, 2));
  write(run, options);
}

async function measureAll(cases: Case[], machine: Machine, options: Options): Promise<Run> {
  const start = performance.now();
  const loadBefore = loadavg()[0] ?? 0;
  const bar = progressBar(options.json ? process.stderr : process.stdout);
  const print = (lines: readonly string[]): void => {
    bar.clear();
    if (!options.json) console.log(lines.join('\n'));
  };
  const { peers, skipped } = await openPeers(options.peers);
  const versions = versionsOf(peers);
  print([...head(machine, versions), ...busyLines(loadBefore, machine), ...skippedLines(skipped)]);
  const results: CaseResult[] = [];
  const minutes = (): number => (performance.now() - start) / 60_000;
  try {
    for (const each of cases) {
      if (each.group !== results.at(-1)?.group) print(groupHead(each.group));
      bar.show(results.length, cases.length, `${each.group} ${caseTitle(each)}`);
      if (minutes() > options.minutes) {
        print([
          `${cases.length - cases.indexOf(each)} cases are left out: ${options.minutes} minutes have passed`,
        ]);
        break;
      }
      try {
        results.push(await runCase(each, peers, options.quick));
        print(caseBlock(results.at(-1)!));
      } catch (error) {
        print([`${caseTitle(each)}: ${error instanceof Error ? error.message : String(error)}`]);
      }
    }
  } finally {
    for (const peer of peers) await peer.close();
  }
  const run: Run = {
    schema: 1,
    date: new Date().toISOString(),
    commit: commitOf(packageRoot()),
    machine,
    versions,
    settings: { quick: options.quick, filter: options.filter },
    skippedPeers: skipped,
    loadBefore,
    seconds: (performance.now() - start) / 1000,
    cases: results,
    targets: judge(results, machine),
  };
  print([...targetLines(run.targets), ...footLines(run)]);
  return run;
}

function versionsOf(peers: readonly Peer[]): Record<string, string> {
  const ours = { evenkeel: native.version, Node: process.version };
  return { ...ours, ...Object.fromEntries(peers.map(({ name, version }) => [name, version])) };
}

/** The folder above bench/, or above dist/bench/. */
function packageRoot(): string {
  const above = fileURLToPath(new URL('..', import.meta.url));
  return /[\\/]dist[\\/]?$/.test(above) ? join(above, '..') : above;
}

function write(run: Run, { report, save, json }: Options): void {
  const files: [path: string, content: string][] = [];
  if (report !== null) files.push([report, page(run)]);
  if (save !== null) {
    const name = join(save, `${run.date.slice(0, 10)}-${slug(run.machine.cpu)}`);
    files.push([`${name}.json`, `${JSON.stringify(run, null, 2)}\n`], [`${name}.html`, page(run)]);
  }
  for (const [path, content] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    if (!json) console.log(`written: ${path}`);
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  console.error(`evenkeel bench: ${error.message}`);
  process.exitCode = 2;
}
