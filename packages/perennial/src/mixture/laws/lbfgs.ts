/**
 * Limited-memory BFGS with a strong-Wolfe line search.
 *    x ← x − t·H·∇f,  H from the last m pairs (s, y) by the two-loop recursion, scaled by sᵀy / yᵀy
 *    f(x + t d) ≤ f(x) + c₁ t ∇fᵀd   and   |∇f(x + t d)ᵀd| ≤ c₂ |∇fᵀd|       c₁ = 1e-4, c₂ = 0.9
 *  Unbounded; a caller that needs a box optimizes a reparametrization (the laws here: the logarithm of a positive number).
 *  A non-finite value of f is a step too long, never an error, so an objective may overflow far from its data.
 *  Source: Nocedal & Wright, "Numerical Optimization", 2nd edition, algorithms 7.4, 7.5, 3.5 and 3.6.
 */

/** Writes ∇f(x) into `gradient` and returns f(x). */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface MinimizeOptions {
  readonly maxIterations: number;
  /** Stop once two consecutive iterations lower f by less than this fraction of |f|. */
  readonly relativeTolerance: number;
  /** Stop once the largest entry of |∇f| falls to this. */
  readonly gradientTolerance: number;
  /** Pairs (s, y) kept. */
  readonly memory: number;
}

export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  readonly evaluations: number;
  /** "line-search": no point along the direction is lower within floating-point accuracy. */
  readonly stopped: "gradient" | "progress" | "line-search" | "iterations";
}

const DEFAULTS: MinimizeOptions = { maxIterations: 2000, relativeTolerance: 1e-15, gradientTolerance: 1e-15, memory: 10 };
const C1 = 1e-4;
const C2 = 0.9;
const MAX_LINE_SEARCH_EVALUATIONS = 30;

export function minimize(objective: Objective, start: ArrayLike<number>, options: Partial<MinimizeOptions> = {}): Minimum {
  const { maxIterations, relativeTolerance, gradientTolerance, memory } = { ...DEFAULTS, ...options };
  const n = start.length;
  let x = Float64Array.from(start);
  let gradient = new Float64Array(n);
  let value = objective(x, gradient);
  let evaluations = 1;
  let trial = new Float64Array(n);
  let trialGradient = new Float64Array(n);
  const direction = new Float64Array(n);
  const pairs: Pair[] = [];
  let idle = 0;

  const done = (iterations: number, stopped: Minimum["stopped"]): Minimum => ({ x, value, iterations, evaluations, stopped });
  if (!Number.isFinite(value)) return done(0, "line-search");

  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (maxAbs(gradient) <= gradientTolerance) return done(iteration, "gradient");
    descend(direction, gradient, pairs);
    let slope = dot(gradient, direction);
    if (!(slope < 0)) {
      // Rounding spoiled the curvature pairs: forget them and go down the gradient.
      pairs.length = 0;
      descend(direction, gradient, pairs);
      slope = dot(gradient, direction);
    }
    const evaluate = (step: number): LinePoint => {
      evaluations++;
      for (let i = 0; i < n; i++) trial[i] = x[i]! + step * direction[i]!;
      const f = objective(trial, trialGradient);
      return { step, value: Number.isFinite(f) ? f : Number.POSITIVE_INFINITY, slope: dot(trialGradient, direction) };
    };
    const firstStep = pairs.length > 0 ? 1 : Math.min(1, 1 / norm(gradient));
    const accepted = wolfe(evaluate, { step: 0, value, slope }, firstStep);
    if (accepted === undefined) {
      if (pairs.length === 0) return done(iteration, "line-search");
      pairs.length = 0;
      continue;
    }
    const pair = remember(pairs, memory, n);
    for (let i = 0; i < n; i++) {
      pair.s[i] = trial[i]! - x[i]!;
      pair.y[i] = trialGradient[i]! - gradient[i]!;
    }
    pair.sy = dot(pair.s, pair.y);
    if (!(pair.sy > 0)) pairs.pop();
    idle = value - accepted.value <= relativeTolerance * Math.abs(value) ? idle + 1 : 0;
    value = accepted.value;
    [x, trial] = [trial, x];
    [gradient, trialGradient] = [trialGradient, gradient];
    if (idle >= 2) return done(iteration + 1, "progress");
  }
  return done(maxIterations, "iterations");
}

interface Pair {
  readonly s: Float64Array;
  readonly y: Float64Array;
  sy: number;
}

/** The newest pair's storage: a recycled oldest pair once the memory is full. */
function remember(pairs: Pair[], memory: number, n: number): Pair {
  const recycled = pairs.length === memory ? pairs.shift() : undefined;
  const pair = recycled ?? { s: new Float64Array(n), y: new Float64Array(n), sy: 0 };
  pairs.push(pair);
  return pair;
}

/** direction ← −H·gradient (two-loop recursion). */
function descend(direction: Float64Array, gradient: Float64Array, pairs: readonly Pair[]): void {
  for (let i = 0; i < direction.length; i++) direction[i] = -gradient[i]!;
  const newest = pairs.at(-1);
  if (newest === undefined) return;
  const alphas = new Float64Array(pairs.length);
  for (let p = pairs.length - 1; p >= 0; p--) {
    const { s, y, sy } = pairs[p]!;
    alphas[p] = dot(s, direction) / sy;
    addScaled(direction, -alphas[p]!, y);
  }
  const scale = newest.sy / dot(newest.y, newest.y);
  for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  for (let p = 0; p < pairs.length; p++) {
    const { s, y, sy } = pairs[p]!;
    addScaled(direction, alphas[p]! - dot(y, direction) / sy, s);
  }
}

interface LinePoint {
  readonly step: number;
  readonly value: number;
  readonly slope: number;
}

/** A strong-Wolfe step; the last point evaluated is the one returned. Undefined when none is found. */
function wolfe(evaluate: (step: number) => LinePoint, origin: LinePoint, firstStep: number): LinePoint | undefined {
  let previous = origin;
  let step = firstStep;
  for (let i = 0; i < MAX_LINE_SEARCH_EVALUATIONS; i++) {
    const point = evaluate(step);
    if (tooHigh(point, origin) || (i > 0 && point.value >= previous.value)) return zoom(evaluate, origin, previous, point);
    if (Math.abs(point.slope) <= -C2 * origin.slope) return point;
    if (point.slope >= 0) return zoom(evaluate, origin, point, previous);
    previous = point;
    step *= 2;
  }
  return undefined;
}

/** Shrinks [low, high], where `low` is the best point that decreases sufficiently, until a strong-Wolfe point is found. */
function zoom(evaluate: (step: number) => LinePoint, origin: LinePoint, low: LinePoint, high: LinePoint): LinePoint | undefined {
  for (let i = 0; i < MAX_LINE_SEARCH_EVALUATIONS; i++) {
    const point = evaluate(cubicMinimum(low, high));
    if (tooHigh(point, origin) || point.value >= low.value) {
      high = point;
    } else {
      if (Math.abs(point.slope) <= -C2 * origin.slope) return point;
      if (point.slope * (high.step - low.step) >= 0) high = low;
      low = point;
    }
    if (Math.abs(high.step - low.step) <= 1e-15 * Math.max(low.step, high.step)) break;
  }
  // Sufficient decrease without the curvature condition is still progress; evaluate once more so that it is the last point.
  return low.step > 0 && low.value < origin.value ? evaluate(low.step) : undefined;
}

const tooHigh = (point: LinePoint, origin: LinePoint) => !(point.value <= origin.value + C1 * point.step * origin.slope);

/** The minimizer of the cubic through both ends' values and slopes, kept away from the ends; else the middle. */
function cubicMinimum(a: LinePoint, b: LinePoint): number {
  const width = b.step - a.step;
  const middle = a.step + width / 2;
  if (!Number.isFinite(b.value) || !Number.isFinite(b.slope)) return middle;
  const d1 = a.slope + b.slope - (3 * (b.value - a.value)) / width;
  const radicand = d1 * d1 - a.slope * b.slope;
  if (!(radicand >= 0)) return middle;
  const d2 = Math.sign(width) * Math.sqrt(radicand);
  const step = b.step - (width * (b.slope + d2 - d1)) / (b.slope - a.slope + 2 * d2);
  const fraction = (step - a.step) / width;
  return fraction > 0.1 && fraction < 0.9 ? step : middle;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(a: Float64Array, scale: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i]! += scale * b[i]!;
}

const norm = (a: Float64Array) => Math.sqrt(dot(a, a));

function maxAbs(a: Float64Array): number {
  let max = 0;
  for (let i = 0; i < a.length; i++) max = Math.max(max, Math.abs(a[i]!));
  return max;
}
