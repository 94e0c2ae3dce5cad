// Calls beside the event loop. What has settled between two acts is judged together: a rejected call has
// changed nothing, a fulfilled one what the same forward does at once to a copy of its layer, made before.
// @ts-nocheck
import { accept, at, counts, found, refuse } from './findings.mjs';
import { drawn } from './hostile.mjs';
import { evenkeel } from './package.mjs';
import { difference, result, snapshot, statistics } from './world.mjs';

const { noGrad } = evenkeel;

/** Under way, or settled and not judged yet. */
export const flights = [];
const twins = new Map();
let settled = [];

/**
 * @param flight - `start` makes the call, `part` of the state may have changed when it is fulfilled, and
 * `replay(layer)` does the same at once; null where nobody knows what that would be.
 */
export function launch(flight) {
  Object.assign(flight, { given: { ...drawn }, example: { ...at }, order: counts.asynchronous });
  const promise = flight.start();
  counts.asynchronous++;
  flights.push(flight);
  const settle = (outcome) => {
    settled.push(Object.assign(flight, outcome));
  };
  promise.then(
    (y) => settle({ y }),
    (error) => settle({ rejected: true, error }),
  );
  return flight;
}

/** Until everything that settles in this turn has, and all that follows from it. */
export const turn = () => new Promise(setImmediate);

/** Judges what has settled since `before`. */
export function land(before) {
  if (settled.length === 0) return before;
  const [done, after] = [settled, snapshot()];
  settled = [];
  for (const flight of done) {
    flights.splice(flights.indexOf(flight), 1);
    checkInput(flight);
    judge(flight);
  }
  const fulfilled = done.filter(({ rejected }) => !rejected);
  const excepted = new Set(fulfilled.map(({ part }) => part));
  const changed = difference(before, after, excepted);
  if (changed !== undefined) found(`${changed} changed by a call that was rejected`);
  for (const layer of excepted) if (twins.has(layer)) compare(layer, fulfilled);
  for (const { y, layer } of fulfilled) if (layer !== undefined) result(y);
  return after;
}

function judge({ name, rejected, error, large, controller, doomed, given, example }) {
  const signal = controller?.signal;
  if (!rejected) {
    accept(name);
    if (large) counts.jobs++;
    if (doomed) found(`${name} was fulfilled, and had been aborted`, example);
  } else if (signal?.aborted && error === signal.reason) counts.refused++;
  else refuse(name, error, given, example);
}

/** Whether what a call has read is as it was, where nobody has touched it. */
function checkInput({ input, name, example }) {
  if (!input || input.touched || input.x.disposed) return;
  const { data } = input.x;
  // not by `length`, which optimised code of Node 20 and 22 may have from before
  if (data.byteLength !== input.values.byteLength) {
    found(`${name}: an input in ${input.kind} memory has lost it`, example);
  } else if (!bytesOf(data).equals(bytesOf(input.values))) {
    found(`${name} has changed its input`, example);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);

/** Whether a layer is as the calls that were fulfilled make of its twin. */
function compare(layer, fulfilled) {
  const calls = fulfilled.filter(({ part }) => part === layer);
  if (calls.some(({ replay }) => replay === null)) return;
  const moving = calls.filter(({ moves }) => moves);
  if (moving.some(({ order }, i) => order < (moving[i - 1]?.order ?? 0)))
    found(`${layer.constructor.name}: statistics moved in another order than that of the calls`);
  const twin = twins.get(layer);
  for (const { replay, y } of calls) {
    const expected = noGrad(() => replay(twin));
    if (expected === null) continue;
    if (!bytesOf(y.data).equals(bytesOf(expected.data)))
      found(`${layer.constructor.name}: another output than at once`);
  }
  if (!statistics(layer).equals(statistics(twin)))
    found(`${layer.constructor.name}: other statistics than at once`);
}

/** Copies of the layers that have calls under way, as they are now. */
export function copyLayers() {
  twins.clear();
  for (const { layer } of flights) {
    if (layer !== undefined && !twins.has(layer)) twins.set(layer, layer.clone());
  }
}
