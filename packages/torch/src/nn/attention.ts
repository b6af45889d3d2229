import type { Tensor } from "../tensor.ts";
import { torch } from "../torch.ts";

export interface AttentionOptions {
  /** Each position sees itself and those before it. */
  causal?: boolean;
  /** Boolean (true = may attend) or additive mask, broadcast to [B,H,T,S]. */
  mask?: Tensor | null;
  dropout?: number;
  /** Default 1/√E. */
  scale?: number | null;
}

/**
 * softmax(q kᵀ · scale + mask) v without ever holding all scores.
 * B batch · H heads · K key-value heads (H a multiple of K) · T, S positions · E head size:
 * q [B,H,T,E], k and v [B,K,S,E] → [B,H,T,E].
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  return torch.scaledDotProductAttention(q, k, v, {
    attnMask: options.mask ?? null,
    dropoutP: options.dropout ?? 0,
    isCausal: options.causal ?? false,
    scale: options.scale ?? null,
    enableGqa: q.size(1) !== k.size(1),
  });
}
