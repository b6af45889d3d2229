/** What a model costs: parameters, floating point operations, memory. */
import { totalmem } from "node:os";
import { PerennialError } from "../errors.ts";
import type { DecoderConfig } from "./config.ts";

// V vocabSize · D hiddenSize · F intermediateSize · L numHiddenLayers · H heads · K key-value heads · E headDim · T sequenceLength

export interface ParameterCount {
  readonly total: number;
  /** Without the input embedding (a tied output counts: it is a matrix product). */
  readonly inMatrixProducts: number;
}

export function countParameters(config: DecoderConfig): ParameterCount {
  const {
    vocabSize: V,
    hiddenSize: D,
    intermediateSize: F,
    numHiddenLayers: L,
    numAttentionHeads: H,
    numKeyValueHeads: K,
    headDim: E,
  } = config;
  const ups = config.mlp === "gated" ? 2 : 1;
  const matrices = D * (H + 2 * K) * E + H * E * D + (ups + 1) * D * F;
  const biases = (config.attentionBias ? (H + 2 * K) * E : 0) + (config.attentionOutBias ? D : 0) + (config.mlpBias ? ups * F + D : 0);
  const norm = (size: number) => (config.norm === "layer" ? 2 * size : size);
  const queryKeyNorms = { none: 0, head: 2 * norm(E), full: norm(H * E) + norm(K * E) }[config.queryKeyNorm ?? "none"];
  const norms = L * (normsOfLayer[config.layout] * norm(D) + queryKeyNorms) + (config.embeddingNorm ? 2 : 1) * norm(D);
  const embedding = V * D;
  const positions = config.position === "learned" ? config.maxPositionEmbeddings * D : 0;
  return {
    total: L * (matrices + biases) + norms + positions + embedding * (config.tieWordEmbeddings ? 1 : 2),
    inMatrixProducts: L * matrices + embedding,
  };
}

const normsOfLayer = { pre: 2, post: 2, sandwich: 4, parallel: 2, parallelShared: 1 } as const;

/**
 * Floating point operations for one token of training, forward and backward: 6 for each weight in a matrix product and
 * 12 · L · H · E · T for attention over T positions (half of it with a causal mask, which is what is counted here).
 */
export function trainingFlopsPerToken(config: DecoderConfig, sequenceLength: number): number {
  return (
    6 * countParameters(config).inMatrixProducts + 6 * config.numHiddenLayers * config.numAttentionHeads * config.headDim * sequenceLength
  );
}

export interface MemoryEstimate {
  readonly weights: number;
  readonly gradients: number;
  readonly optimizer: number;
  readonly activations: number;
  readonly logits: number;
  /** Bytes, all together. */
  readonly total: number;
}

/** Bytes that a training step with AdamW in float32 needs at its peak; an estimate, on the safe side. */
export function trainingMemory(
  config: DecoderConfig,
  step: { readonly microBatchSize: number; readonly sequenceLength: number; readonly activationCheckpointing: boolean },
): MemoryEstimate {
  const { total } = countParameters(config);
  const positions = step.microBatchSize * step.sequenceLength;
  const { hiddenSize: D, intermediateSize: F, numAttentionHeads: H, numKeyValueHeads: K, headDim: E } = config;
  // Kept for backward in a layer: two norms in and out, q k v and their rotated copies, the mix, gate, up and their product.
  const layer = 4 * positions * (6 * D + 4 * (H + 2 * K) * E + 4 * F);
  const activations = step.activationCheckpointing ? 4 * positions * D * config.numHiddenLayers + layer : layer * config.numHiddenLayers;
  const logits = 3 * 4 * positions * config.vocabSize;
  const parts = { weights: 4 * total, gradients: 4 * total, optimizer: 8 * total, activations, logits };
  return { ...parts, total: Object.values(parts).reduce((sum, bytes) => sum + bytes, 0) };
}

/** Refuses, with the numbers, what cannot fit. `processes`: how many on this machine need as much each. */
export function checkMemory(
  estimate: MemoryEstimate,
  { processes = 1, available = totalmem() }: { readonly processes?: number; readonly available?: number } = {},
): void {
  if (estimate.total * processes <= available) return;
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  throw new PerennialError(
    "MEMORY",
    `Training needs about ${processes > 1 ? `${processes} × ` : ""}${gib(estimate.total)} (weights ${gib(estimate.weights)}, gradients ${gib(estimate.gradients)}, optimizer ${gib(estimate.optimizer)}, activations ${gib(estimate.activations)}, logits ${gib(estimate.logits)}) but this machine has ${gib(available)}. ` +
      "Lower train.microBatchSize (and raise gradientAccumulationSteps), lower train.sequenceLength, or set train.activationCheckpointing: true.",
  );
}
