// How an operation gets onto the tape, and the elements that its loops read.
import { needsGrad } from '../autograd/index.js';
import type { FloatData } from '../memory/dtype.js';
import type { Backward, Tensor } from './class.js';

/** @internal The data of a floating tensor, still attached. */
export function floats(tensor: Tensor): FloatData {
  return tensor.attached('evenkeel') as FloatData;
}

/** @internal Records `output` if any input requires grad and recording is on. */
export function record(
  name: string,
  output: Tensor,
  inputs: readonly (Tensor | null)[],
  saved: readonly Tensor[],
  backward: Backward,
): Tensor {
  output.noteView(inputs);
  return needsGrad(...inputs) ? output.recordAs(name, inputs, saved, backward) : output;
}
