/** Initializers: fill a tensor in place, without recording, and return it. */
import { noGrad } from "../autograd.ts";
import type { Generator } from "../call.ts";
import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";

const fill = (tensor: Tensor, body: () => unknown): Tensor => {
  noGrad(body);
  return tensor;
};

export const zeros = (tensor: Tensor): Tensor => fill(tensor, () => tensor.zero_());
export const ones = (tensor: Tensor): Tensor => fill(tensor, () => tensor.fill_(1));
export const constant = (tensor: Tensor, value: number): Tensor => fill(tensor, () => tensor.fill_(value));

export const uniform = (tensor: Tensor, low = 0, high = 1, generator: Generator | null = null): Tensor =>
  fill(tensor, () => tensor.uniform_(low, high, { generator }));

export const normal = (tensor: Tensor, mean = 0, std = 1, generator: Generator | null = null): Tensor =>
  fill(tensor, () => tensor.normal_(mean, std, { generator }));

/** Normal numbers, redrawn until they lie within `bound` standard deviations (by inverting the distribution function). */
export const truncatedNormal = (tensor: Tensor, mean = 0, std = 1, bound = 2, generator: Generator | null = null): Tensor =>
  fill(tensor, () => {
    const edge = 2 * normalDistribution(bound) - 1;
    tensor.uniform_(-edge, edge, { generator });
    torch.erfinv_(tensor);
    tensor.mul_(std * Math.SQRT2).add_(mean);
    tensor.clamp_(mean - bound * std, mean + bound * std);
  });

/** Glorot: U(−a, a) with a = gain · √(6 / (fan_in + fan_out)). */
export function xavierUniform(tensor: Tensor, gain = 1, generator: Generator | null = null): Tensor {
  const [fanIn, fanOut] = fans(tensor);
  const a = gain * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(tensor, -a, a, generator);
}

/** He: U(−a, a) with a = √(6 / ((1 + negativeSlope²) · fan_in)). PyTorch's layers use negativeSlope = √5. */
export function kaimingUniform(tensor: Tensor, negativeSlope = 0, generator: Generator | null = null): Tensor {
  const a = Math.sqrt(6 / ((1 + negativeSlope ** 2) * fans(tensor)[0]));
  return uniform(tensor, -a, a, generator);
}

/** Inputs and outputs of a weight [out, in, …kernel]. */
export function fans(tensor: Tensor): [fanIn: number, fanOut: number] {
  const [out, input, ...kernel] = tensor.shape;
  if (out === undefined || input === undefined) throw new RangeError("fan in and fan out need a tensor of at least two dimensions");
  const field = kernel.reduce((product, size) => product * size, 1);
  return [input * field, out * field];
}

// Abramowitz & Stegun 7.1.26 is too coarse here; this series converges fast for the bounds in use.
function normalDistribution(x: number): number {
  let sum = x;
  let term = x;
  for (let n = 1; n < 200; n++) {
    term *= (x * x) / (2 * n + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-(x * x) / 2)) / Math.sqrt(2 * Math.PI);
}
