/**
 * The fused operators, composed from libtorch's own: what each must compute. Tests compare value and gradient; other
 * devices and dtypes use these compositions.
 */
// N rows · D columns · V vocabulary · B batch · T positions · H heads · E head size

import { autocastState } from "../autograd.ts";
import * as nn from "../nn/index.ts";
import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";

/** x [...,K] · weight [N,K] → [...,N]. */
export const linear = (x: Tensor, weight: Tensor, bias: Tensor | null): Tensor => torch.linear(x, weight, bias);

export const linears = (x: Tensor, weights: readonly Tensor[]): Tensor[] => weights.map((weight) => torch.linear(x, weight));

/** Inside autocast the norms give what the matrix products after them read. */
const toAutocast = (x: Tensor): Tensor => {
  const { enabled, dtype } = autocastState(x.device);
  return enabled ? x.to(dtype) : x;
};

/** x / √(mean(x²) + eps) · weight over the last dimension. */
export const rmsNorm = (x: Tensor, weight: Tensor, eps: number): Tensor =>
  toAutocast(x.mul(torch.rsqrt(x.square().mean([-1], true).add(eps))).mul(weight));

/** The sum, and its norm. */
export function addRmsNorm(x: Tensor, residual: Tensor, weight: Tensor, eps: number): [sum: Tensor, normed: Tensor] {
  const sum = x.add(residual);
  return [sum, rmsNorm(sum, weight, eps)];
}

export const swiglu = (gate: Tensor, up: Tensor): Tensor => gate.mul(gate.sigmoid()).mul(up);

/** x [B,T,H,E] · cos, sin [B|1,T,E]. */
export function rope(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const half = x.size(-1) / 2;
  const turned = torch.cat([x.slice(-1, half).neg(), x.slice(-1, 0, half)], -1);
  return x
    .mul(cos.unsqueeze(2))
    .add(turned.mul(sin.unsqueeze(2)))
    .to(x.dtype);
}

/** hidden [N,D] · weight [V,D] · labels [N] → Σ (loss + zLoss · log² Z), and Σ loss without a graph. */
export function linearCrossEntropy(
  hidden: Tensor,
  weight: Tensor,
  labels: Tensor,
  options: { ignoreIndex?: number; zLoss?: number } = {},
): [lossSum: Tensor, reported: Tensor] {
  const { ignoreIndex = -100, zLoss = 0 } = options;
  const logits = torch.linear(hidden, weight).float();
  const loss = nn.crossEntropy(logits, labels, { reduction: "sum", ignoreIndex });
  if (zLoss === 0) return [loss, loss.detach()];
  const normalizer = torch.logsumexp(logits, -1).square();
  return [loss.add(normalizer.mul(labels.ne(ignoreIndex)).sum().mul(zLoss)), loss.detach()];
}

/** q [B,H,T,E], k and v [B,K,T,E]; segments: (row, start, end) triples that cover every position; causal inside each. */
export function documentAttention(q: Tensor, k: Tensor, v: Tensor, segments: readonly number[], scale: number): Tensor {
  const [B, , T] = q.shape as [number, number, number];
  // Made on the CPU and copied once: a launch for each document would cost more.
  const mask = torch.zeros([B, 1, T, T], { dtype: "bool" });
  for (let i = 0; i < segments.length; i += 3) {
    const [row, start, end] = segments.slice(i, i + 3) as [number, number, number];
    mask.assign([row, 0, [start, end], [start, end]], torch.ones([end - start, end - start], { dtype: "bool" }).tril());
  }
  return nn.scaledDotProductAttention(q, k, v, { mask: mask.to(q.device), scale });
}
