// What the tape asks of tensors: gradients added, given to leaves, checked.
import type { Arithmetic } from '../autograd/index.js';
import * as check from '../check/index.js';
import { addon } from '../addon/control.js';
import { deferring, perform } from '../run/deferral.js';
import { memoryOf, Tensor } from './class.js';
import { collect } from './scope-list.js';
import { floats } from './record.js';

/** @internal */
export const arithmetic: Arithmetic<Tensor> = {
  add(a, b) {
    const sum = isFree(a) ? a : isFree(b) ? b : Tensor.uninitialized(a.shape, a.dtype);
    perform(
      {
        who: 'Tensor.backward',
        work: sum.numel,
        reads: { 'a gradient': a === sum ? null : a, 'another gradient': b === sum ? null : b },
        writes: [sum],
      },
      (native, arrayOf) => native.add(arrayOf(a), arrayOf(b), arrayOf(sum), sum.numel),
    );
    if (a !== sum) a.dispose();
    if (b !== sum) b.dispose();
    return sum;
  },
  accumulate(leaf, gradient) {
    const { gradient: before } = leaf;
    if (before === null) {
      leaf.gradient = gradient.keep();
      return;
    }
    addon.add(floats(before), floats(gradient), floats(before), before.numel);
    before.markChanged();
    gradient.dispose();
  },
  hold: (value) => value.detach(),
  release(value) {
    value.dispose();
  },
  tidy(body) {
    const made: Tensor[] = [];
    const outer = collect(made);
    let parts: readonly (Tensor | null)[] = [];
    try {
      parts = body();
      return parts;
    } finally {
      collect(outer);
      for (const tensor of made) {
        if (parts.includes(tensor)) outer?.push(tensor);
        else if (!tensor.kept) tensor.dispose();
      }
    }
  },
  replacement(returned, before) {
    const who = 'Tensor.registerHook';
    if (!(returned instanceof Tensor))
      throw check.wrongKind(who, 'a hook to return a Tensor', returned);
    if (!check.equalShapes(returned.shape, before.shape)) {
      throw check.wrongValue(
        who,
        `a gradient of shape ${check.shapeText(before.shape)} (hook has changed the size of value)`,
        `shape ${check.shapeText(returned.shape)}`,
      );
    }
    check.dtype(who, 'the gradient', returned, before.dtype);
    if (returned.expandedValue === null) returned.attached(who, 'the gradient');
    return returned.detach();
  },
  prepare(leaf, gradient) {
    const who = 'Tensor.backward';
    leaf.attached(who);
    if (leaf.gradient !== null) {
      arithmetic.check(who, leaf, leaf.gradient);
      // One of one value has no array yet, and there may be no memory for it.
      leaf.gradient.attached(who);
      gradient.attached(who);
      return gradient;
    }
    if (gradient.sole) return gradient;
    const own = gradient.copied();
    gradient.dispose();
    return own;
  },
  check(operation, value, gradient) {
    if (!check.equalShapes(value.shape, gradient.shape)) {
      throw new RangeError(
        `${operation}: Mismatch in shape: grad_output[0] has a shape of ` +
          `${check.shapeText(gradient.shape)} and output[0] has a shape of ` +
          `${check.shapeText(value.shape)}.`,
      );
    }
    check.sameDtype(operation, 'the gradient', gradient, value.dtype);
    if (gradient.expandedValue === null) gradient.present(operation);
  },
};

/** Whether a sum may be written into a gradient: beside the event loop not where a hook may have kept a view. */
function isFree(gradient: Tensor): boolean {
  return gradient.sole && (deferring() === null || !memoryOf(gradient).exposed);
}
