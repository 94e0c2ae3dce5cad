// What 'evenkeel' means to the type checker inside this repository: the source, built or not.
// tsconfig.json names this file without its ending; TypeScript finds it and tsx does not, so a
// program that is run gets the built package, as a user's would.
export * from '../src/index.js';
