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

/** x / √(mean(x²) + eps) · weight over the last dimension; any shape. */
export const rmsNorm = call("rms_norm") as (x: Tensor, weight: Tensor, eps: number) => Tensor;

/** x + residual, and the RMS norm of that. */
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

const linearCrossEntropyKernel = call("linear_cross_entropy") as (
  hidden: Tensor,
  weight: Tensor,
  labels: Tensor,
  ignoreIndex: number,
  zLoss: number,
) => [lossSum: Tensor, reported: Tensor];

/**
 * The output layer and its cross-entropy, without ever holding all logits: hidden [N,D], weight [V,D], int64 labels [N]
 * → Σ (loss + zLoss · log² Z) in nats over the labels that are not `ignoreIndex`, and Σ loss without a graph.
 */
export function linearCrossEntropy(
  hidden: Tensor,
  weight: Tensor,
  labels: Tensor,
  options: { ignoreIndex?: number; zLoss?: number } = {},
): [lossSum: Tensor, reported: Tensor] {
  if (hidden.dtype !== "float32" || weight.dtype !== "float32" || hidden.device !== "cpu")
    return plain.linearCrossEntropy(hidden, weight, labels, options);
  return linearCrossEntropyKernel(hidden, weight, labels, options.ignoreIndex ?? -100, options.zLoss ?? 0);
}

/**
 * Causal attention inside documents of packed rows: q, k, v [B,H,T,E] of equal heads; `segments` are (row, start, end)
 * triples that cover every position once. Work and memory grow with the documents' lengths, not with T².
 */
export const documentAttention = call("document_attention") as (
  q: Tensor,
  k: Tensor,
  v: Tensor,
  segments: readonly number[],
  scale: number,
) => Tensor;

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
