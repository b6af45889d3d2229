/**
 * Curves from η₀ to η₁ over p = 0 … 1, the share of a phase that has passed; exactly η₀ at p ≤ 0 and η₁ at p ≥ 1.
 *   linear        η₀ + (η₁ − η₀) p
 *   cosine        η₁ + (η₀ − η₁)/2 · (1 + cos πp)
 *   exponential   η₀ · (η₁/η₀)^p                                    η₁ > 0
 *   1-sqrt        η₁ + (η₀ − η₁)(1 − √p)                            Hägele et al. 2024
 *   inverse-sqrt  η₀ + (η₁ − η₀) h(p)/h(1),  h(p) = 1/√(1 + αp) − 1
 */
export const decayShapes = ["linear", "cosine", "exponential", "1-sqrt"] as const;
export type DecayShape = (typeof decayShapes)[number];
export type Curve = (from: number, to: number, p: number) => number;

export const curves: Readonly<Record<DecayShape, Curve>> = {
  linear: exactEnds((from, to, p) => from + (to - from) * p),
  cosine: exactEnds((from, to, p) => to + ((from - to) / 2) * (1 + Math.cos(Math.PI * p))),
  exponential: exactEnds((from, to, p) => from * (to / from) ** p),
  "1-sqrt": exactEnds((from, to, p) => to + (from - to) * (1 - Math.sqrt(p))),
};

export function inverseSqrtCurve(alpha: number): Curve {
  const h = (p: number) => 1 / Math.sqrt(1 + alpha * p) - 1;
  return exactEnds((from, to, p) => from + ((to - from) * h(p)) / h(1));
}

function exactEnds(curve: Curve): Curve {
  return (from, to, p) => {
    if (p <= 0) return from;
    return p >= 1 ? to : curve(from, to, p);
  };
}

/** The share of a phase of `length` steps that has passed after `steps` of them; a phase without steps is over at once. */
export function progress(steps: number, length: number): number {
  return length === 0 ? 1 : Math.min(1, steps / length);
}
