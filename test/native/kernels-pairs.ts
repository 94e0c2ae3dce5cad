// Losses of vectors, and of classes that stand in the middle, as calls on an Arena.
import type { Addon } from '../../src/addon/types.js';
import { flags, nothing, sweep, type KernelCase } from './kernel-case.js';

const sizes = sweep([1, -1], [3, -1]);

export function pairCases(addon: Addon): KernelCase[] {
  const signs = (rows: number): Int32Array =>
    Int32Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? 1 : -1));
  return [
    {
      name: 'cosines and cosineGradients',
      sizes,
      prepare(arena, [rows = 0, size = 0]) {
        const [a, b] = [arena.input(rows * size), arena.input(rows * size)];
        const [y, sums] = [arena.output(rows), arena.doublesOut(3 * rows)];
        const [da, db] = [arena.output(rows * size), arena.output(rows * size)];
        return nothing(() => {
          addon.cosines(a, b, y, sums, rows, size, 1e-8);
          addon.cosineGradients(a, b, sums, y, rows, size, 1e-8, da, db);
        });
      },
    },
    {
      name: 'embeddingLosses and embeddingGradients',
      sizes,
      prepare(arena, [rows = 0, size = 0]) {
        const [a, b] = [arena.input(rows * size), arena.input(rows * size)];
        const [y, sums] = [arena.output(rows), arena.doublesOut(3 * rows)];
        const [da, db] = [arena.output(rows * size), arena.output(rows * size)];
        const how = [signs(rows), rows, size, -0.5, sums] as const;
        return () => {
          const sum = addon.embeddingLosses(a, b, ...how, y);
          addon.embeddingGradients(a, b, ...how, null, 0.5, da, db);
          return sum;
        };
      },
    },
    ...flags.flatMap((squares) =>
      flags.map(
        (swap): KernelCase => ({
          name: `tripletLosses and tripletGradients, ${squares ? 'squares' : 'sums'}${swap ? ', swapped' : ''}`,
          sizes,
          prepare(arena, [rows = 0, size = 0]) {
            const [a, b, c] = [
              ...([arena.input(rows * size), arena.input(rows * size)] as const),
              arena.input(rows * size),
            ] as const;
            const [y, distances] = [arena.output(rows), arena.doublesOut(3 * rows)];
            const gradients = [
              ...([arena.output(rows * size), arena.output(rows * size)] as const),
              arena.output(rows * size),
            ] as const;
            const how = [rows, size, 5, 1e-6, squares, swap, distances] as const;
            return () => {
              const sum = addon.tripletLosses(a, b, c, ...how, y);
              addon.tripletGradients(a, b, c, ...how, y, 0.5, ...gradients);
              return sum;
            };
          },
        }),
      ),
    ),
    {
      name: 'nllLosses and nllGradients',
      sizes: sweep([-1, 3, 5], [2, -1, 1]).filter(([, classes]) => classes !== 0),
      prepare(arena, [outer = 0, classes = 0, inner = 0]) {
        const n = outer * classes * inner;
        const rows = outer * inner;
        const targets = arena.integers(rows, (value) =>
          value > 1 ? -100 : Math.floor(Math.abs(value) * 1000) % classes,
        );
        const [x, y, out] = [arena.input(n), arena.output(rows), arena.doublesOut(2)];
        const dx = arena.output(n);
        const labels = new Int32Array(rows);
        const how = [null, outer, classes, inner, -100] as const;
        return () => {
          addon.nllLosses(x, targets, labels, ...how, y, out);
          addon.nllGradients(dx, labels, ...how, y, 0.5);
          return addon.firstOutside(x, n, -0.5, 0.5);
        };
      },
    },
  ];
}
