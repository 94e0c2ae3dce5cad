// What 'evenkeel/distributed' means to the type checker inside this repository: see source-types.d.ts.
export * from '../src/distributed/index.js';
