// What reading a file may cost. A pickle can ask for much with few bytes: it may use one remembered object
// any number of times, and make an object with every byte. So everything that is made or walked through on
// behalf of a file is paid for out of one budget that is proportional to the file's size.
import * as check from '../check/index.js';

/** For small files, whose objects may well take more than their few bytes. */
const BASE_BYTES = 16 * 2 ** 20;
/** int8 widens by 4, and a tensor that is not contiguous needs its storage and a copy. */
const BYTES_PER_BYTE = 8;

/** About what things take in memory on a 64-bit machine, in bytes. Where less is true, it is the time that costs. */
export const COST = {
  /** A place in an array that grows: V8 holds the old and the larger new array for a moment. */
  slot: 24,
  object: 64,
  /** An int of more than 8 bytes: it takes a few steps, each of which makes an object. */
  longInt: 320,
  /** An array that is pushed to has room for 17 items. */
  array: 160,
  /** A tensor with its array, besides its elements. */
  tensor: 512,
} as const;

export class Budget {
  private readonly total: number;
  private left: number;

  constructor(
    private readonly who: string,
    fileBytes: number,
  ) {
    this.total = BASE_BYTES + BYTES_PER_BYTE * fileBytes;
    this.left = this.total;
  }

  /** What is left of it. */
  get remaining(): number {
    return this.left;
  }

  /** Takes from the budget; an error once there is nothing left. */
  spend(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0) throw this.exceeded();
  }

  /** Gives back what is not in use any more. */
  restore(bytes: number): void {
    this.left += bytes;
  }

  private exceeded(): RangeError {
    return check.wrongValue(
      this.who,
      `a file that takes at most ${this.total} bytes to read (16 MB and 8 times its size)`,
      'one that asks for more',
    );
  }
}
