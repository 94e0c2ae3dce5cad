// What 'evenkeel/doctor' means to the type checker inside this repository: see source-types.d.ts.
export * from '../src/doctor/index.js';
