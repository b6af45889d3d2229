/**
 * How well predictions meet measurements.
 *    R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)²        mse = mean (y − ŷ)²
 *    huber = mean H(ln ŷ − ln y), δ as fitted          relativeError = mean |ŷ − y| / y
 *  y measured, ŷ predicted loss (nats per token). R² is null when all y are equal: there is no variance to explain.
 */
import { huber } from "./huber.ts";

export interface Goodness {
  readonly points: number;
  readonly rSquared: number | null;
  readonly mse: number;
  readonly huber: number;
  readonly relativeError: number;
}

/** Chinchilla's convention for residuals of log loss. */
export const HUBER_DELTA = 1e-3;

export function goodnessOf(measured: readonly number[], predicted: readonly number[], delta = HUBER_DELTA): Goodness {
  const n = measured.length;
  const mean = measured.reduce((sum, y) => sum + y, 0) / n;
  let squares = 0;
  let variance = 0;
  let robust = 0;
  let relative = 0;
  for (let i = 0; i < n; i++) {
    const y = measured[i]!;
    const error = predicted[i]! - y;
    squares += error * error;
    variance += (y - mean) ** 2;
    robust += huber(Math.log(predicted[i]!) - Math.log(y), delta);
    relative += Math.abs(error) / y;
  }
  return {
    points: n,
    rSquared: rSquared(squares, variance),
    mse: squares / n,
    huber: robust / n,
    relativeError: relative / n,
  };
}

export const rSquared = (residualSquares: number, totalSquares: number): number | null =>
  totalSquares > 0 ? 1 - residualSquares / totalSquares : null;
