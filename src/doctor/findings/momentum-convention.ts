import { accessOf, percent, short, type FoundIn, type Rule } from '../examined.js';
import type { LayerReport } from '../report-types.js';

/** The weight of the newest batch. Keras and TensorFlow name the weight of the old statistics: 0.99, 0.9. */
const OTHER_CONVENTION = 0.9;
/** The largest eps in use in the models surveyed is 1e-3; 0.8 was meant to be a momentum. */
const LARGE_EPS = 0.01;
/** With a smaller momentum it is a choice that needs many batches. */
const SLOW = 0.01;
const STILL_INITIAL = 0.05;

export const momentumConvention: Rule = {
  id: 'momentum-convention',
  severity: 'warning',
  mendedBy: 'code',
  what: 'momentum is that of another library, or eps stands where momentum was meant.',
  why: 'PyTorch’s momentum is the weight of the newest batch. With 0.99 the statistics are those of the last batch alone, as noisy as one batch; with 0.001 they are still half initial after 700 batches. An eps of 0.8 adds 0.8 to every variance.',
  how: 'Take 1 minus Keras’ momentum; give options by name.',
  detect({ layers }) {
    return layers.flatMap(({ report }) => [...momentumOf(report), ...epsOf(report)]);
  },
};

function momentumOf({ name, momentum, numBatchesTracked }: LayerReport): FoundIn[] {
  if (typeof momentum !== 'number' || momentum === 0) return [];
  if (momentum >= OTHER_CONVENTION) {
    const other = Number((1 - momentum).toFixed(6));
    return [
      {
        layer: name,
        effect: momentum,
        evidence: `momentum ${short(momentum)}: the running statistics remember ${short(1 / momentum)} batches.`,
        cause:
          'In Keras and TensorFlow momentum is the weight of the old statistics, here of the new batch.',
        mend: `${accessOf(name)}.momentum = ${other === 0 ? 0.1 : other}; // then recalibrate(model, trainLoader)`,
        measured: { momentum },
      },
    ];
  }
  const left = (1 - momentum) ** (numBatchesTracked ?? 0);
  if (momentum > SLOW || (numBatchesTracked ?? 0) === 0 || left < STILL_INITIAL) return [];
  return [
    {
      layer: name,
      effect: left,
      evidence: `momentum ${short(momentum)} after ${String(numBatchesTracked)} batches: ${percent(left)} of the running statistics are still the initial 0 and 1.`,
      cause: 'momentum is too small for so few batches, or eps was given for it.',
      mend: `${accessOf(name)}.momentum = 0.1; // then recalibrate(model, trainLoader)`,
      measured: { momentum, initialPart: left },
    },
  ];
}

function epsOf({ name, eps }: LayerReport): FoundIn[] {
  if (eps === null || eps < LARGE_EPS) return [];
  return [
    {
      layer: name,
      effect: eps,
      evidence: `eps is ${short(eps)}; usual are 1e-5 to 1e-3.`,
      cause: 'A momentum was probably given where eps stands (the second argument in PyTorch).',
      mend: `new nn.BatchNorm1d(numFeatures, { eps: 1e-5, momentum: ${short(Math.min(1, Number((1 - eps).toFixed(6))))} }); // and train again`,
      measured: { eps },
    },
  ];
}
