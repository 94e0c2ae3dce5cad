// A strict reader of JSON text (RFC 8259) for headers of files that nobody vouches for. It reads in the
// caller's order and builds nothing; unlike JSON.parse it refuses duplicate names, lone surrogates, and
// numbers that are not whole, and it rounds none.
import * as check from '../../check/index.js';
import { COST, type Budget } from '../budget.js';
import { isWellFormed, quoted } from '../sentences.js';

/** serde_json's limit: the reference implementation's. */
const DEPTH = 127;

const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

export class JsonReader {
  private at = 0;
  private depth = 0;

  constructor(
    private readonly who: string,
    private readonly text: string,
    private readonly budget: Budget,
  ) {}

  /** Calls `member` at each value with its name; `member` has to read the value. */
  object(what: string, member: (name: string) => void): void {
    for (const name of this.members(what)) member(name);
  }

  /** The names of an object, one at a time: whoever asks for the next has read the value of the last. */
  *members(what: string): Generator<string, void, void> {
    const names = new Set<string>();
    let spent = 0;
    this.open(what, '{');
    if (this.peek() !== '}') {
      do {
        const name = this.string('a name in quotes');
        if (names.has(name)) throw this.problem('each name once', `a second ${quoted(name)}`);
        const cost = COST.object + 2 * name.length;
        this.budget.spend(cost);
        spent += cost;
        names.add(name);
        this.expect(':', "':' after a name");
        yield name;
      } while (this.accept(','));
    }
    this.close('}');
    this.budget.restore(spent);
  }

  /** Calls `item` at each value; `item` has to read it. */
  array(what: string, item: () => void): void {
    this.open(what, '[');
    if (this.peek() !== ']') {
      do item();
      while (this.accept(','));
    }
    this.close(']');
  }

  string(what: string): string {
    this.expect('"', what);
    const { text } = this;
    const start = this.at;
    let escaped = false;
    for (; ; this.at++) {
      const code = text.charCodeAt(this.at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        escaped = true;
        this.at++;
      }
      if (this.at >= text.length) throw this.unexpected('a string that ends');
      if (text.charCodeAt(this.at) < 0x20) throw this.unexpected('no control character');
    }
    const raw = text.slice(start, this.at++);
    return escaped ? this.unescaped(raw) : raw;
  }

  /** A whole number from 0 to 2^53 - 1, written as such: no sign, point or exponent. */
  size(what: string): number {
    const short = this.shortNumber();
    if (short !== null) return short;
    const written = this.number();
    const value = Number(written);
    if (!/^\d+$/.test(written) || !Number.isSafeInteger(value)) {
      throw this.problem(`whole numbers from 0 to 2^53 - 1 in ${what}`, this.found(written));
    }
    return value;
  }

  /** The usual number of a shape: up to 15 digits, then what stands behind an item. Anything else is null. */
  private shortNumber(): number | null {
    this.peek();
    const { text, at } = this;
    let [value, end] = [0, at];
    for (; end - at < 16; end++) {
      const digit = text.charCodeAt(end) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = 10 * value + digit;
    }
    const next = text.charCodeAt(end);
    const isWhole = end > at && end - at < 16 && (text.charCodeAt(at) !== 0x30 || end === at + 1);
    if (!isWhole || (next !== 0x2c && next !== 0x5d)) return null;
    this.at = end;
    return value;
  }

  /** Reads `null` if that is what comes. */
  null(): boolean {
    return this.word('null');
  }

  /** Reads any value, for its grammar only. */
  skip(): void {
    const next = this.peek();
    if (next === '{') {
      this.object('an object', () => this.skip());
    } else if (next === '[') {
      this.array('an array', () => this.skip());
    } else if (next === '"') {
      this.string('a string');
    } else if (!this.word('null') && !this.word('true') && !this.word('false')) {
      const written = this.number();
      if (!Number.isFinite(Number(written || 'none'))) {
        throw this.problem('a JSON value', this.found(written));
      }
    }
  }

  /** Nothing but blanks may be left. */
  end(): void {
    if (this.peek() !== '') throw this.unexpected('nothing after the object');
  }

  private open(what: string, bracket: string): void {
    this.expect(bracket, what);
    if (++this.depth > DEPTH) {
      throw this.problem(`at most ${DEPTH} levels of nesting`, 'more');
    }
  }

  private close(bracket: string): void {
    this.expect(bracket, `',' or '${bracket}'`);
    this.depth--;
  }

  private number(): string {
    this.peek();
    NUMBER.lastIndex = this.at;
    const written = NUMBER.exec(this.text)?.[0] ?? '';
    // 01 is 0 and then something that no caller expects; so are NaN and +1.
    this.at += written.length;
    return written;
  }

  private word(word: string): boolean {
    this.peek();
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  /** The next character that is no blank; '' at the end. */
  private peek(): string {
    const { text } = this;
    for (; this.at < text.length; this.at++) {
      const code = text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
    }
    return text.charAt(this.at);
  }

  private accept(character: string): boolean {
    if (this.peek() !== character) return false;
    this.at++;
    return true;
  }

  private expect(character: string, what: string): void {
    if (!this.accept(character)) throw this.unexpected(what);
  }

  /** One pass of the engine's own: a callback for each escape would take 100 bytes for two. */
  private unescaped(raw: string): string {
    for (let at = raw.indexOf('\\'); at >= 0; at = raw.indexOf('\\', ESCAPE.lastIndex)) {
      ESCAPE.lastIndex = at;
      if (ESCAPE.test(raw)) continue;
      throw this.problem('an escape that JSON knows', quoted(raw.slice(at, at + 2)));
    }
    const text = JSON.parse(`"${raw}"`) as string;
    if (!isWellFormed(text)) {
      throw this.problem('well-formed Unicode', `${quoted(text)} with half of a surrogate pair`);
    }
    return text;
  }

  private unexpected(what: string): RangeError {
    return this.problem(what, this.found(''));
  }

  /** What was written, or what stands here. */
  private found(written: string): string {
    if (written !== '') return quoted(written);
    const rest = this.text.slice(this.at, this.at + 20);
    return rest === '' ? 'its end' : quoted(rest);
  }

  private problem(what: string, got: string): RangeError {
    return check.wrongValue(this.who, `${what} at character ${this.at} of the header`, got);
  }
}
