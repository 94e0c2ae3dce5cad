// What of the tests is not run in an emulator, and why. In another Node version nothing is left out.

/** @type {{ file: string, test?: string, why: string }[]} */
export const LEFT_OUT = [
  { file: 'test/bench/**', why: 'it measures, and an emulator is no machine to measure' },
  {
    file: '**/peak-memory.test.ts',
    why: 'it measures the memory of the process: the emulator has its own in it',
  },
  { file: '**/digits.test.ts', why: 'it trains on 8,000 digits: more than half an hour' },
  {
    file: '**/compatibility.test.ts',
    why: 'it reads a page of ours and runs nothing on the machine',
  },
];
