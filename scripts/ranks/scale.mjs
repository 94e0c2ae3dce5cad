// What a step of training on several processes takes, by a model of the network: a latency, and bytes per second. For the
// table and the chart of docs/distributed.md.

/**
 * @typedef {object} Network
 * @property {number} latency seconds
 * @property {number} bytesPerSecond
 */

/** Bytes of a record, with which each exchange begins (src/distributed/record.ts). */
const RECORD = 256;
/** Seconds to send one message more, and bytes that are added a second. */
const [MESSAGE, ADDED] = [1e-6, 8e9];

/** The networks of the chart: what is known of them, not measured here. */
export const NETWORKS = {
  '10 Gb/s Ethernet': { latency: 30e-6, bytesPerSecond: 1.1e9 },
  '25 Gb/s Ethernet': { latency: 20e-6, bytesPerSecond: 2.8e9 },
  InfiniBand: { latency: 2e-6, bytesPerSecond: 12e9 },
};

/** Everyone sends its bytes to everyone. */
const gather = (
  /** @type {Network} */ network,
  /** @type {number} */ processes,
  /** @type {number} */ bytes,
) => network.latency + (processes - 1) * ((RECORD + bytes) / network.bytesPerSecond + MESSAGE);

/**
 * Seconds that a step exchanges: three times a SyncBatchNorm layer, and the gradients, of which each process adds a part.
 * Nothing of it is hidden behind computing.
 * @param {Network} network
 * @param {number} processes
 * @param {{ channels: readonly number[], parameters: number }} model
 */
export function exchange(network, processes, { channels, parameters }) {
  if (processes === 1) return 0;
  const layers = channels.reduce(
    (sum, c) => sum + gather(network, processes, 8 * c) + 2 * gather(network, processes, 16 * c),
    0,
  );
  const bytes = 4 * parameters;
  const part = ((processes - 1) / processes) * (bytes / network.bytesPerSecond);
  const sum = 2 * (network.latency + (processes - 1) * MESSAGE + part) + bytes / ADDED;
  return layers + 2 * gather(network, processes, 64) + sum;
}

/** The network of the example: 784-256-128-10. */
export const MLP = { channels: [256, 128], parameters: 235_914 };
