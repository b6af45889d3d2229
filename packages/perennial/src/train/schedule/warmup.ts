import type { RewarmFrom } from "./phases.ts";

/**
 * Linear warm-up to η_max, then `afterwards` with steps counted from its end:
 *   n < W   η = η₀ + (η_max − η₀) · n/W,   η₀ = 0 or η_min        n ≥ W   η = afterwards(n − W)
 * W = 0 warms nothing up and divides by nothing.
 */
export interface Warmup {
  readonly warmupSteps: number;
  readonly maxLearningRate: number;
  readonly from: number;
}

export function warmUp(step: number, { warmupSteps, maxLearningRate, from }: Warmup, afterwards: (steps: number) => number): number {
  if (step >= warmupSteps) return afterwards(step - warmupSteps);
  return from + ((maxLearningRate - from) * step) / warmupSteps;
}

export const startOfWarmup = (rewarmFrom: RewarmFrom, minLearningRate: number) => (rewarmFrom === "min" ? minLearningRate : 0);
