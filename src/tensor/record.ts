// How an operation gets onto the tape, and the elements that its loops read.
import { needsGrad } from '../autograd/index.js';
import type { FloatData } from '../memory/dtype.js';
import type { Backward, Tensor } from './class.js';

/** @internal The data of a floating tensor, still attached. */
export function floats(tensor: Tensor): FloatData {
  return tensor.attached('evenkeel') as FloatData;
}

const TIDIES = { repeats: false, tidies: true } as const;
const REPEATS = { repeats: true, tidies: true } as const;

/**
 * @internal Records `output` like `record`, for a backward that needs no value of the forward and whose closure holds no
 * tensor: it may run a second time.
 */
export function recordRepeatable(
  name: string,
  output: Tensor,
  inputs: readonly (Tensor | null)[],
  backward: Backward,
): Tensor {
  output.noteView(inputs);
  return needsGrad(...inputs) ? output.recordAs(name, inputs, [], backward, REPEATS) : output;
}

/** @internal Records `output` like `record`, where backward hands what it makes to others: it stays. */
export function recordGate(
  name: string,
  output: Tensor,
  inputs: readonly (Tensor | null)[],
  backward: Backward,
): Tensor {
  output.noteView(inputs);
  return needsGrad(...inputs) ? output.recordAs(name, inputs, [], backward) : output;
}

/** @internal Records `output` if any input requires grad and recording is on. What backward makes beside the gradients goes. */
export function record(
  name: string,
  output: Tensor,
  inputs: readonly (Tensor | null)[],
  saved: readonly Tensor[],
  backward: Backward,
): Tensor {
  output.noteView(inputs);
  return needsGrad(...inputs) ? output.recordAs(name, inputs, saved, backward, TIDIES) : output;
}
