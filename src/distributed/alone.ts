// A world of one process: there is nobody to send anything to.
import type { Exchange, Transport } from './transport.js';

const nothing: Exchange = {
  send: () => undefined,
  receive: () => undefined,
  wait: () => 0,
  silent: () => [],
};

/** @internal */
export const alone: Transport = {
  backend: 'none',
  rank: 0,
  size: 1,
  localRank: 0,
  mpi: null,
  exchange: () => nothing,
  ended: () => [],
  fail: () => undefined,
};
