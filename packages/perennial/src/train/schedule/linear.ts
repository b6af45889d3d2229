import { defineWarmupDecay } from "./warmup-decay.ts";

/**
 * Linear warm-up, linear decay ("polynomial of power 1" elsewhere), then constant.
 *   n < W        η = η₀ + (η_max − η₀) · n/W
 *   n < W + D    η = η_max + (η_min − η_max) · (n − W)/D
 *   n ≥ W + D    η = η_min                                    zero by writing minLearningRate: 0
 * n step · W warmupSteps · D decaySteps: optimizer steps. η₀: 0, or η_min if `rewarmFrom` is "min". η: learning rate, no unit.
 */
export const linear = defineWarmupDecay("linear");
