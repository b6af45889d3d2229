/**
 * Operators that do in one pass over memory what a few of libtorch's do in several; registered in the dispatcher under
 * `perennial::`. The plain versions in `reference.ts` say what they compute, and serve where the fast kernels do not.
 */
import { operator } from "../operators.ts";
import type { Tensor } from "../tensor.ts";
import * as plain from "./reference.ts";

const call = (name: string) => {
  const entry = operator(`perennial::${name}`);
  return (...values: unknown[]) => entry.call(undefined, values);
};

/**
 * x Wᵀ + b: [...,K] → [...,N]. Inside autocast to bfloat16 on the CPU a float32 weight is multiplied through its bfloat16
 * copy, which stands from step to step (`adamw` writes both), and its gradient arrives in float32, not rounded on the way.
 */
export const linear = call("linear") as (x: Tensor, weight: Tensor, bias: Tensor | null) => Tensor;

/** x W_iᵀ for every weight: products of the same input, whose gradient is summed inside them. As `linear` otherwise. */
export const linears = call("linears") as (x: Tensor, weights: readonly Tensor[]) => Tensor[];

/** Whether this CPU has units for products of bfloat16; elsewhere they are computed from widened float32. */
export const multipliesBf16 = call("multiplies_bf16") as () => boolean;

/** x / √(mean(x²) + eps) · weight over the last dimension; any shape. Inside autocast to bfloat16 the output is bfloat16. */
export const rmsNorm = call("rms_norm") as (x: Tensor, weight: Tensor, eps: number) => Tensor;

/** x + residual in the residual's dtype, and the RMS norm of that (in bfloat16 inside autocast to it). */
export const addRmsNorm = call("add_rms_norm") as (
  x: Tensor,
  residual: Tensor,
  weight: Tensor,
  eps: number,
) => [sum: Tensor, normed: Tensor];

/** gate · sigmoid(gate) · up, elementwise. */
export const swiglu = call("swiglu") as (gate: Tensor, up: Tensor) => Tensor;

/** Rotary embedding: x [B,T,H,E], cos and sin [B|1,T,E] → [B,T,H,E]. */
export const rope = call("rope") as (x: Tensor, cos: Tensor, sin: Tensor) => Tensor;

/** The kernels take float32 and bfloat16 on the CPU. */
const isFused = ({ dtype, device }: Tensor) => device === "cpu" && (dtype === "float32" || dtype === "bfloat16");

const linearCrossEntropyKernel = call("linear_cross_entropy") as (
  hidden: Tensor,
  weight: Tensor,
  labels: Tensor,
  ignoreIndex: number,
  zLoss: number,
) => [lossSum: Tensor, reported: Tensor];

/**
 * The output layer and its cross-entropy, without ever holding all logits: hidden [N,D], weight [V,D], int64 labels [N]
 * → Σ (loss + zLoss · log² Z) in nats over the labels that are not `ignoreIndex`, and Σ loss without a graph. bfloat16
 * hidden states, or autocast to it, round the factors of the products; logits, loss and sums stay in float32.
 */
export function linearCrossEntropy(
  hidden: Tensor,
  weight: Tensor,
  labels: Tensor,
  options: { ignoreIndex?: number; zLoss?: number } = {},
): [lossSum: Tensor, reported: Tensor] {
  if (!isFused(hidden) || !isFused(weight)) return plain.linearCrossEntropy(hidden, weight, labels, options);
  return linearCrossEntropyKernel(hidden, weight, labels, options.ignoreIndex ?? -100, options.zLoss ?? 0);
}

const documentAttentionKernel = call("document_attention") as (
  q: Tensor,
  k: Tensor,
  v: Tensor,
  segments: readonly number[],
  scale: number,
) => Tensor;

/**
 * Causal attention inside documents of packed rows: q [B,H,T,E], k and v [B,K,T,E] with H a multiple of K, all float32 or
 * all bfloat16; `segments` are (row, start, end) triples that cover every position once. Work and memory grow with the documents' lengths, not with T²; on other devices
 * than the CPU it is attention with a mask.
 */
export function documentAttention(q: Tensor, k: Tensor, v: Tensor, segments: readonly number[], scale: number): Tensor {
  return (q.device === "cpu" ? documentAttentionKernel : plain.documentAttention)(q, k, v, segments, scale);
}

/** √ Σ x² over all elements of all tensors, as a scalar tensor; the same sum on every run. */
export const globalNorm = call("global_norm") as (tensors: readonly Tensor[]) => Tensor;

/** One AdamW update of float32 tensors in place; the gradients are multiplied by `gradScale` first and stay as they are. */
export const adamw = call("adamw") as (
  weights: readonly Tensor[],
  gradients: readonly Tensor[],
  firsts: readonly Tensor[],
  seconds: readonly Tensor[],
  learningRate: number,
  beta1: number,
  beta2: number,
  eps: number,
  decay: number,
  step: number,
  gradScale: number,
) => void;

export * as reference from "./reference.ts";
