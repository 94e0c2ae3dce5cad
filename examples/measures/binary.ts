// How well scores tell two classes apart.

/** Of samples in the order of falling scores, those with equal scores together: how many of each class. */
function* steps(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
): Generator<{ score: number; positive: number; negative: number }> {
  const order = Uint32Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  for (let i = 0; i < order.length;) {
    const score = scores[order[i]!]!;
    let [positive, negative] = [0, 0];
    for (; i < order.length && scores[order[i]!] === score; i++) {
      if (labels[order[i]!] === 1) positive++;
      else negative++;
    }
    yield { score, positive, negative };
  }
}

const count = (labels: ArrayLike<number>, wanted: number): number =>
  Array.from(labels).filter((each) => each === wanted).length;

/** A point of the ROC curve: what is called positive from `score` on. */
export interface Threshold {
  readonly score: number;
  /** Of the negatives, the part that is called positive: 0 to 1. */
  readonly falsePositives: number;
  /** Of the positives, the part that is found: 0 to 1. */
  readonly truePositives: number;
}

/** From (0, 0) to (1, 1), a point for each different score. */
export function rocCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): Threshold[] {
  const [positives, negatives] = [count(labels, 1), count(labels, 0)];
  let [found, wrong] = [0, 0];
  const curve = [{ score: Infinity, falsePositives: 0, truePositives: 0 }];
  for (const { score, positive, negative } of steps(scores, labels)) {
    found += positive;
    wrong += negative;
    curve.push({ score, falsePositives: wrong / negatives, truePositives: found / positives });
  }
  return curve;
}

/** The area under the ROC curve: how often a positive sample has a higher score than a negative one; ties count half. */
export function areaUnderCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const [positives, negatives] = [count(labels, 1), count(labels, 0)];
  let [above, pairs] = [0, 0];
  for (const { positive, negative } of steps(scores, labels)) {
    pairs += negative * (above + positive / 2);
    above += positive;
  }
  return pairs / (positives * negatives);
}

/** The part of the logits whose sign is that of the label, 0 to 1. */
export function accuracyOf(logits: ArrayLike<number>, labels: ArrayLike<number>): number {
  const right = Array.from(logits).filter((each, i) => each > 0 === (labels[i] === 1));
  return right.length / logits.length;
}
