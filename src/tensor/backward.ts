// backward() and hooks: the walk over the tape, started from a tensor.
import { addHook, walkBack, walkBackAsync } from '../autograd/index.js';
import * as check from '../check/index.js';
import { deferred, undeferred } from '../run/deferral.js';
import { Tensor, type TensorLike } from './class.js';
import { addMethods, type BackwardAsyncOptions, type BackwardOptions } from './methods.js';
import { outsideScopes } from './scope-list.js';
import { arithmetic } from './tape-arithmetic.js';

addMethods(Tensor, {
  backward(given?: TensorLike | BackwardOptions, more?: BackwardOptions): void {
    const who = 'Tensor.backward';
    const [gradient, options] = argumentsOf(given, more);
    check.options(who, options, ['retainGraph']);
    const retainGraph = check.booleanOption(who, 'retainGraph', options.retainGraph);
    const start = startOf(who, this, gradient);
    // In a forward beside the event loop too: it changes gradients, now.
    undeferred(() => {
      walkBack<Tensor>(this, start, arithmetic, retainGraph);
    });
  },

  async backwardAsync(
    given?: TensorLike | BackwardAsyncOptions,
    more?: BackwardAsyncOptions,
  ): Promise<void> {
    const who = 'Tensor.backwardAsync';
    const [gradient, options] = argumentsOf(given, more);
    check.options(who, options, ['retainGraph', 'signal']);
    const retainGraph = check.booleanOption(who, 'retainGraph', options.retainGraph);
    const signal = check.signal(who, options.signal);
    check.notAborted(signal);
    return outsideScopes(() => {
      const start = startOf(who, this, gradient);
      const defer = <Result>(body: () => Result): Promise<Result> => deferred(signal, body);
      return walkBackAsync<Tensor>(this, start, arithmetic, retainGraph, { signal, defer });
    });
  },

  registerHook(hook: (gradient: Tensor) => Tensor | null | undefined): { remove(): void } {
    const who = 'Tensor.registerHook';
    if (typeof hook !== 'function') throw check.wrongKind(who, 'a hook function', hook);
    if (!this.requiresGrad) {
      throw new Error(`${who}: cannot register a hook on a tensor that doesn't require gradient.`);
    }
    return addHook(this, hook);
  },
});

/** The gradient that a walk back from `root` starts with, everything checked. */
function startOf(who: string, root: Tensor, gradient: TensorLike | undefined): Tensor {
  root.attached(who);
  if (!root.requiresGrad) {
    throw new Error(
      `${who}: element 0 of tensors does not require grad and does not have a grad_fn.`,
    );
  }
  if (gradient === undefined && root.numel !== 1) {
    throw check.wrongValue(
      who,
      'a gradient (grad can be implicitly created only for scalar outputs)',
      `none for shape ${check.shapeText(root.shape)}`,
    );
  }
  const start =
    gradient === undefined
      ? Tensor.filled(root.shape, root.dtype, 1)
      : Tensor.from(gradient).detach();
  arithmetic.check(who, root, start);
  return start;
}

/** A gradient and options: `loss.backward({ retainGraph: true })` has options alone. */
function argumentsOf<Options extends object>(
  given: TensorLike | Options | undefined,
  more: Options | undefined,
): [gradient: TensorLike | undefined, options: Options] {
  if (more === undefined && check.isOptions(given)) return [undefined, given as Options];
  return [given as TensorLike | undefined, more ?? ({} as Options)];
}
