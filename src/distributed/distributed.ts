// What `distributed` has.
export { dataParallel, type DataParallel, type DataParallelOptions } from './data-parallel.js';
export { PeerError, TimeoutError } from './errors.js';
export type { Group } from './group.js';
export { init, type InitOptions } from './init.js';
export { DistributedSampler, globalRows, type DistributedSamplerOptions } from './sampler.js';
export { share, type Share } from './share.js';
export { spawn, type SpawnOptions } from './spawn.js';
export type { Backend } from './transport.js';
export { verify } from './verify.js';
