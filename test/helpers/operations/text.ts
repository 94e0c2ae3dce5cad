// The result of an operation as something that toEqual() compares: values, dtypes, state.
import { nn, Tensor } from 'evenkeel';

export function textOf(value: unknown): unknown {
  if (value instanceof Tensor) return [value.dtype, value.shape, value.toArray()];
  if (!(value instanceof nn.Module)) return value;
  return [String(value), ...[...value.stateDict()].map(([key, each]) => [key, textOf(each)])];
}
