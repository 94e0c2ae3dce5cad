// What is sent, and what must come back.
import { loadDigits, TEST_SIZE } from '../digits/data.js';
import { asPoints, POINTS } from '../pointnet/points.js';
import { CHECKPOINT } from '../server/arguments.js';
import { loadModel, predict } from '../server/predict.js';
import type { Answer } from '../server/service.js';

export interface Given {
  readonly body: Buffer;
  /** The answer's text, byte for byte. */
  readonly answer: string;
}

/** As many digits as are tested, some with fewer points than others. */
export async function bodiesAndAnswers(count = 500): Promise<Given[]> {
  const model = await loadModel(CHECKPOINT);
  const digits = asPoints(loadDigits().test, Math.min(count, TEST_SIZE));
  const all = digits.tensors[0]!.data as Float32Array;
  const given: Given[] = [];
  for (let n = 0; n < digits.length; n++) {
    const points = Array.from({ length: n % 3 === 0 ? POINTS / 2 : POINTS }, (_, i) => {
      const at = 2 * n * POINTS + i;
      return [all[at]!, all[at + POINTS]!];
    });
    const [scores] = await predict(
      model,
      [Float32Array.from(points.flat())],
      new AbortController().signal,
    );
    const answer: Answer = { digit: scores!.indexOf(Math.max(...scores!)), scores: scores! };
    given.push({
      body: Buffer.from(JSON.stringify({ points })),
      answer: JSON.stringify(answer),
    });
  }
  return given;
}
