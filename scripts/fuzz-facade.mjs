// Calls the public door at random, with arguments that are right but for a few (fuzz-facade/hostile.mjs), at
// once and beside the event loop. A call that is refused must leave every layer, statistic, gradient and
// output as it was, to the bit, and say so in one of our sentences; one that is not blocking must come to
// what it does at once, whatever happens meanwhile.
//
//   node scripts/fuzz-facade.mjs [--runs N] [--seed S] [--episode E [--calls I,J]] [--package DIR] [--undisturbed]
//
// An episode is a small world and some calls on it; --episode repeats one, but for when its jobs end, and --calls only
// some of its calls: those that a finding needs are looked for, and printed with it (docs/decisions/0012). With
// --undisturbed no operation writes into what a job reads: a race that is noticed, and ThreadSanitizer's to report.
// Prints one line; exits with 1 on a finding. The types are wrong on purpose here, and not checked.
// @ts-nocheck
import { ASYNC_OPERATIONS } from './fuzz-facade/async-operations.mjs';
import { chance, one, startDraws } from './fuzz-facade/draw.mjs';
import {
  accept,
  at,
  byOperation,
  counts,
  findings,
  found,
  refuse,
} from './fuzz-facade/findings.mjs';
import { copyLayers, flights, land, turn } from './fuzz-facade/flights.mjs';
import { FUNCTION_OPERATIONS } from './fuzz-facade/function-operations.mjs';
import { drawn } from './fuzz-facade/hostile.mjs';
import { LAYER_OPERATIONS } from './fuzz-facade/layer-operations.mjs';
import { OPERATIONS } from './fuzz-facade/operations.mjs';
import { evenkeel, options } from './fuzz-facade/package.mjs';
import { difference, makeWorld, snapshot } from './fuzz-facade/world.mjs';

const runs = Number(options.runs);
const seed = Number(options.seed);
const CALLS = Array.from({ length: 40 }, (_, call) => call);
const stateful = Object.entries({ ...OPERATIONS, ...LAYER_OPERATIONS, ...ASYNC_OPERATIONS });
const functions = Object.entries(FUNCTION_OPERATIONS);
const table = [...stateful, ...functions];

async function run(episode, calls = CALLS) {
  startDraws(seed, episode, -1);
  makeWorld();
  let before = snapshot();
  for (const call of calls) {
    startDraws(seed, episode, call);
    Object.assign(at, { episode, call });
    if (flights.length > 0 && chance(2)) {
      await turn();
      before = land(before);
    }
    before = act(...one(chance(3) ? functions : stateful), before);
    copyLayers();
  }
  while (flights.length > 0) {
    await turn();
    before = land(before);
    copyLayers();
  }
}

/** One call; returns the state after it. */
function act(name, operation, before) {
  Object.assign(drawn, { hostile: false, forged: false });
  const startsOnly = /Async/.test(name);
  let thrown = false;
  try {
    operation();
    if (!startsOnly) accept(name);
  } catch (error) {
    thrown = true;
    refuse(name, error);
  }
  const after = snapshot();
  const changed = thrown || startsOnly ? difference(before, after) : undefined;
  if (changed !== undefined)
    found(`${changed} changed by ${name}, which was ${thrown ? 'refused' : 'only started'}`);
  return after;
}

/** Whether these calls come to that finding. */
async function comesTo(text, episode, calls) {
  findings.delete(text);
  await run(episode, calls);
  return findings.has(text);
}

/** The calls of an episode that a finding needs: without any one of them it is not made. */
async function needed(text, episode) {
  let calls = CALLS;
  for (const call of CALLS) {
    const others = calls.filter((each) => each !== call);
    if (await comesTo(text, episode, others)) calls = others;
  }
  return calls;
}

const known = new Set(table.map(([name]) => name));
const unknown = Object.keys(evenkeel.functional).filter((name) => !known.has(`functional.${name}`));
if (unknown.length > 0) throw new Error(`no arguments are known for ${unknown.join(', ')}`);

const first = options.episode === undefined ? 0 : Number(options.episode);
const last = options.episode === undefined ? Math.ceil(runs / CALLS.length) : first + 1;
let episode = first;
for (; episode < last && counts.accepted + counts.refused < runs; episode++)
  await run(episode, options.calls?.split(',').map(Number));

const { accepted, refused, asynchronous, jobs } = counts;
const total = accepted + refused;
console.log(
  `facade: ${total} calls of ${table.length} operations in ${episode - first} episodes, ${asynchronous} asynchronous ` +
    `(${jobs} fulfilled as jobs), ${accepted} accepted, ${refused} refused with state kept, ` +
    `${findings.size} findings; seed ${seed}`,
);
// What starts several calls is counted with each of them.
const silent = table
  .map(([name]) => name)
  .filter((name) => !byOperation.has(name) && !/many|same input/.test(name));
if (options.episode === undefined && total >= 20000 && silent.length > 0) {
  console.error(`never accepted: ${silent.join(', ')}`);
  process.exitCode = 1;
}
for (const [text, { count, example }] of [...findings]) {
  process.exitCode = 1;
  const calls = options.calls ?? (await needed(text, example.episode)).join();
  console.error(
    `${text}\n  ${count} times; to repeat: --seed ${seed} --episode ${example.episode} --calls ${calls}`,
  );
  if (example.stack !== undefined) console.error(example.stack);
}
