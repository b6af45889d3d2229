/**
 * Tensors that are read by ranges of their flattened values, so that what is computed from many of them never needs a whole
 * one: a method of merging is a function from `Values` to `Values`.
 */
import { scope, type Tensor, torch } from "@perennial/torch";

export interface Values {
  /** Number of values. */
  readonly numel: number;
  /** [end − start], float32 (float64 where the stored type is). A tensor of its own or a view; not to be written to. */
  read(start: number, end: number): Tensor;
}

/** The floating point type that arithmetic on values of `dtype` is done in. */
export const working = (values: Tensor): Tensor => values.to(values.dtype === "float64" ? "float64" : "float32");

export const valuesOf = (tensor: Tensor): Values => ({
  numel: tensor.numel,
  read: (start, end) => working(tensor.reshape([-1]).slice(0, start, end)),
});

/** Values at a time. */
const LARGEST_RANGE = 1 << 20;
/** A range is at most this share of a tensor: a method may hold as many ranges as it needs and still less than a tensor. */
const RANGES_PER_TENSOR = 16;

/** Consecutive ranges that cover `numel` values. */
export function* ranges(numel: number): Generator<readonly [start: number, end: number]> {
  const step = Math.min(LARGEST_RANGE, Math.ceil(numel / RANGES_PER_TENSOR));
  for (let start = 0; start < numel; start += step) yield [start, Math.min(start + step, numel)];
}

/** Calls `body` with every range in turn, freeing what it makes after each. */
export function eachRange(numel: number, body: (start: number, end: number) => void): void {
  for (const [start, end] of ranges(numel)) scope(() => body(start, end));
}

/** All values as one tensor. */
export function materialize(values: Values, shape: readonly number[]): Tensor {
  const first = scope(() => values.read(0, 0).dtype);
  const output = torch.empty([values.numel], { dtype: first });
  eachRange(values.numel, (start, end) => {
    output.slice(0, start, end).copy_(values.read(start, end));
  });
  return output.view([...shape]);
}
