// `evenkeel run`: what of a launcher's line is the program's.
import { expect, it } from 'vitest';

import { piecesOf } from '../../src/cli/run/mpirun.js';

it("takes a launcher's tag off a line, and no more", () => {
  const four = { kind: 'Open MPI', command: '', version: 'mpirun (OpenRTE) 4.1.4' } as const;
  const five = { ...four, version: 'mpirun (Open MPI) 5.0.7' };
  const piece = { rank: 3, stream: 'stdout', text: '  x\n' };
  expect(piecesOf(four, '[1,3]<stdout>:  x')).toEqual([piece]);
  expect(piecesOf(five, '[1,3]<stdout>:   x')).toEqual([piece]);
  expect(piecesOf(five, '[1,3]<stdout>: ab[1,2]<stdout>: c')).toEqual([
    { ...piece, text: 'ab' },
    { rank: 2, stream: 'stdout', text: 'c\n' },
  ]);
  expect(piecesOf(four, 'said [1,3]<stdout>:x')).toEqual([]);
});
