/**
 * Where the weighted sum of domain and general loss stops rising during continued pre-training.
 *    g(T) = a₁s₁T^(s₁−1) + λ·(a₂s₂T^(s₂−1) + a₃s₃T^(s₃−1)) = dF/dT,   T₀ = the last root with g: + → −
 *  T tokens in the law's unit · a, s: coefficients and exponents of the token laws · λ Lagrange multiplier, no unit.
 *  g is a sum of at most three powers. Divided by its lowest power it has one stationary point, known in closed form, so
 *  both monotone pieces are bracketed exactly and bisected. (The paper's implicit formula for T₀ must not be iterated:
 *  its fixed point may be 0, and its exponent is infinite for s₁ = s₂.)
 *  Source: Gu et al., EMNLP 2024, arXiv 2407.17467.
 */
import type { PowerTerm } from "./power-law.ts";
import { boundary } from "./search.ts";

/**
 * "at": F turns down at `tokens` (T₀); `untilTokens`, if any, is where it turns up again.
 * "from-start": F falls from the start (T₀ = 0). "never": F rises, or ends up rising without turning down (T₀ = ∞).
 */
export type TurningPoint =
  | { readonly kind: "from-start"; readonly untilTokens: number | null }
  | { readonly kind: "at"; readonly tokens: number; readonly untilTokens: number | null }
  | { readonly kind: "never" };

/** Domain and general token law: the terms of dDom(T) and dGen(T). */
export function turningPoint(domain: readonly PowerTerm[], general: readonly PowerTerm[], lambda: number): TurningPoint {
  const slopes = derivative([...domain, ...general.map((term) => ({ ...term, coefficient: lambda * term.coefficient }))]);
  const roots = positiveRoots(slopes);
  const down = roots.filter((root) => root.falls).at(-1);
  const until = roots.filter((root) => !root.falls).at(-1)?.at;
  if (down !== undefined) return { kind: "at", tokens: down.at, untilTokens: until !== undefined && until > down.at ? until : null };
  const startsDown = (slopes[0]?.coefficient ?? 0) < 0;
  return startsDown ? { kind: "from-start", untilTokens: until ?? null } : { kind: "never" };
}

/** Terms of the derivative, by ascending exponent, equal exponents joined, zero terms left out. */
function derivative(terms: readonly PowerTerm[]): PowerTerm[] {
  const byExponent = new Map<number, number>();
  for (const { coefficient, exponent } of terms) {
    const key = exponent - 1;
    byExponent.set(key, (byExponent.get(key) ?? 0) + coefficient * exponent);
  }
  return [...byExponent]
    .map(([exponent, coefficient]) => ({ exponent, coefficient }))
    .filter(({ coefficient }) => coefficient !== 0)
    .sort((a, b) => a.exponent - b.exponent);
}

interface Root {
  readonly at: number;
  /** The sum goes from + to −. */
  readonly falls: boolean;
}

/** Positive roots, ascending, of a sum of at most three powers. */
function positiveRoots(terms: readonly PowerTerm[]): Root[] {
  const first = terms[0];
  if (first === undefined || terms.length === 1) return [];
  // In u = ln T, divided by the lowest power: h(u) = c₁ + c₂·exp(p₂u) + c₃·exp(p₃u), 0 < p₂ < p₃.
  const powers = terms.map(({ coefficient, exponent }) => ({ c: coefficient, p: exponent - first.exponent }));
  const h = (u: number) => powers.reduce((sum, { c, p }) => sum + c * Math.exp(p * u), 0);
  const [, second, third] = powers;
  const ratio = third === undefined ? 0 : (-second!.c * second!.p) / (third.c * third.p);
  const stationary = ratio > 0 ? Math.log(ratio) / (third!.p - second!.p) : 0;
  const start = first.coefficient;
  const middle = h(stationary);
  const end = (third ?? second!).c;
  const roots: Root[] = [];
  if (start * middle < 0) roots.push({ at: Math.exp(bisect(h, stationary, -1)), falls: middle < 0 });
  if (middle * end < 0) roots.push({ at: Math.exp(bisect(h, stationary, 1)), falls: end < 0 });
  return roots;
}

/** The root of monotone h on the given side of `from`: the bracket doubles until the sign changes. */
function bisect(h: (u: number) => number, from: number, side: -1 | 1): number {
  const sign = Math.sign(h(from));
  const same = (u: number) => Math.sign(h(u)) === sign;
  let inside = from;
  let width = 1;
  while (same(from + side * width) && width < 1e6) {
    inside = from + side * width;
    width *= 2;
  }
  return boundary(same, inside, from + side * width);
}
