/**
 * Sums of powers, fitted by variable projection: for fixed exponents the coefficients are linear, so only the exponents
 * are searched and the coefficients follow by least squares.
 *    one term    y = a·x^s + b               s ∈ [−3, 3], |s| ≥ 1e-3: scan by 0.01, then golden section
 *    two terms   y = a·x^s + c·x^t + b       0 < s < t ≤ 1.5: scan by 0.05, then a pattern search
 *  x > 0. Least squares (not Huber): losses are few, smooth and measured on the same text.
 *  Source: the laws are those of arXiv 2407.17467; the paper does not name its optimizer, this one is our choice.
 */

import { rSquared } from "./goodness.ts";
import { goldenSection } from "./search.ts";

export interface PowerTerm {
  readonly coefficient: number;
  readonly exponent: number;
}

/** y = Σ coefficient·x^exponent + constant, with the quality of its fit. */
export interface PowerFit {
  readonly terms: readonly PowerTerm[];
  readonly constant: number;
  readonly mse: number;
  readonly rSquared: number | null;
}

export const evaluatePower = ({ terms, constant }: Pick<PowerFit, "terms" | "constant">, x: number): number =>
  terms.reduce((sum, { coefficient, exponent }) => sum + coefficient * x ** exponent, constant);

const MIN_EXPONENT = 1e-3;

/** Needs at least 3 different x; with exactly 3 it interpolates. */
export function fitPower(x: readonly number[], y: readonly number[]): PowerFit {
  const problem = centered(x, y);
  // Around s = 0 the power degenerates into the constant: the two sides are searched apart.
  let best = Number.NaN;
  let bestResidual = Number.POSITIVE_INFINITY;
  const residual = (s: number) => (Math.abs(s) < MIN_EXPONENT * 0.999 ? Number.POSITIVE_INFINITY : solve(problem, [s]).residual);
  const consider = (s: number) => {
    const value = residual(s);
    if (value < bestResidual) [best, bestResidual] = [s, value];
  };
  for (let i = -300; i <= 300; i++) consider(i === 0 ? MIN_EXPONENT : i / 100);
  consider(-MIN_EXPONENT);
  const [low, high] = best > 0 ? [Math.max(best - 0.01, MIN_EXPONENT), best + 0.01] : [best - 0.01, Math.min(best + 0.01, -MIN_EXPONENT)];
  consider(goldenSection(residual, low, high, 1e-12));
  return powerFit(problem, [best]);
}

/** Needs at least 5 different x. */
export function fitTwoPowers(x: readonly number[], y: readonly number[]): PowerFit {
  const problem = centered(x, y);
  let best: readonly [number, number] = [0.05, 0.1];
  let bestResidual = Number.POSITIVE_INFINITY;
  const improves = (s: number, t: number): boolean => {
    if (!(s >= MIN_EXPONENT && t - s >= MIN_EXPONENT && t <= 1.5)) return false;
    const { residual } = solve(problem, [s, t]);
    if (!(residual < bestResidual)) return false;
    [best, bestResidual] = [[s, t], residual];
    return true;
  };
  for (let s = 1; s < 30; s++) for (let t = s + 1; t <= 30; t++) improves(s / 20, t / 20);
  for (let step = 0.025; step > 1e-9; ) {
    const [s, t] = best;
    const moves = [-1, 0, 1].flatMap((i) => [-1, 0, 1].map((j) => [s + i * step, t + j * step] as const));
    // Every move is tried, so that the best of them is taken; only a round without any shortens the step.
    const moved = moves.filter(([i, j]) => improves(i, j)).length > 0;
    if (!moved) step /= 2;
  }
  return powerFit(problem, best);
}

interface Problem {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly meanY: number;
  readonly totalSquares: number;
}

function centered(x: readonly number[], y: readonly number[]): Problem {
  const meanY = y.reduce((sum, value) => sum + value, 0) / y.length;
  return { x, y, meanY, totalSquares: y.reduce((sum, value) => sum + (value - meanY) ** 2, 0) };
}

/** Least squares for the coefficients of centered columns x^s by modified Gram–Schmidt; residual = Σ(y − ŷ)². */
function solve({ x, y, meanY }: Problem, exponents: readonly number[]): { residual: number; coefficients: number[]; constant: number } {
  const n = x.length;
  const rest = Float64Array.from(y, (value) => value - meanY);
  const columns: { q: Float64Array; mean: number; norm: number; projections: number[]; weight: number }[] = [];
  for (const exponent of exponents) {
    const q = Float64Array.from(x, (value) => value ** exponent);
    const mean = q.reduce((sum, value) => sum + value, 0) / n;
    for (let i = 0; i < n; i++) q[i]! -= mean;
    const projections = columns.map((column) => {
      const projection = dot(column.q, q);
      for (let i = 0; i < n; i++) q[i]! -= projection * column.q[i]!;
      return projection;
    });
    const norm = Math.sqrt(dot(q, q));
    if (!(norm > 0 && Number.isFinite(norm))) return { residual: Number.POSITIVE_INFINITY, coefficients: [], constant: meanY };
    for (let i = 0; i < n; i++) q[i]! /= norm;
    const weight = dot(q, rest);
    for (let i = 0; i < n; i++) rest[i]! -= weight * q[i]!;
    columns.push({ q, mean, norm, projections, weight });
  }
  const coefficients: number[] = new Array(columns.length);
  let constant = meanY;
  for (let k = columns.length - 1; k >= 0; k--) {
    let weight = columns[k]!.weight;
    for (let j = k + 1; j < columns.length; j++) weight -= columns[j]!.projections[k]! * coefficients[j]!;
    coefficients[k] = weight / columns[k]!.norm;
    constant -= coefficients[k]! * columns[k]!.mean;
  }
  return { residual: dot(rest, rest), coefficients, constant };
}

function powerFit(problem: Problem, exponents: readonly number[]): PowerFit {
  const { residual, coefficients, constant } = solve(problem, exponents);
  return {
    terms: exponents.map((exponent, i) => ({ coefficient: coefficients[i]!, exponent })),
    constant,
    mse: residual / problem.y.length,
    rSquared: rSquared(residual, problem.totalSquares),
  };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
