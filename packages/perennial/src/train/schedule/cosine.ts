import { defineWarmupDecay } from "./warmup-decay.ts";

/**
 * Re-warming and re-decaying: linear warm-up, half a cosine down, then constant. Every new dataset starts it afresh at step 0.
 *   n < W        η = η₀ + (η_max − η₀) · n/W
 *   n < W + D    η = η_min + (η_max − η_min)/2 · (1 + cos(π (n − W)/D))
 *   n ≥ W + D    η = η_min
 * n step · W warmupSteps · D decaySteps: optimizer steps. η₀: 0, or η_min if `rewarmFrom` is "min". η: learning rate, no unit.
 * Source: arXiv 2403.08763, specification `simple-scalable-cpt`.
 */
export const cosine = defineWarmupDecay("cosine");
