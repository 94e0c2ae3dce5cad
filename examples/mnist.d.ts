// The part of the `mnist` package (10,000 digits, no types of its own) that the examples use.
declare module 'mnist' {
  interface Digit {
    /** How many pictures of this digit there are. */
    readonly length: number;
    /** Picture `index`: 784 grey values from 0 to 1, row by row. */
    get(index?: number): number[];
  }
  type Name = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
  const mnist: Readonly<Record<Name, Digit>>;
  export default mnist;
}
