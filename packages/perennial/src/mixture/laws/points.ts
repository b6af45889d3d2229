/** The measured points that every mixture law is fitted to, and the checks that keep a bad pilot run from becoming a law. */
import { FieldError } from "../../errors.ts";

/** One validation loss at one checkpoint of one pilot run. Plain data. */
export interface LossPoint {
  /** Domain tokens / all tokens of the run, 0–1: always the **domain** share, whichever corpus the loss belongs to. */
  readonly ratio: number;
  /** Tokens seen in continued pre-training at this checkpoint. */
  readonly tokens: number;
  /** Parameters of the model; left out when all points come from one model. */
  readonly modelSize?: number;
  /** Validation loss, nats per token. */
  readonly loss: number;
}

export interface PointRules {
  /** Where the points stand, for messages. */
  readonly at: string;
  /** "open": 0 < ratio ≤ 1 (a power of the ratio must exist). "closed": 0 ≤ ratio ≤ 1. */
  readonly ratios: "open" | "closed";
}

/** Throws a `FieldError` that names the first point a law cannot use. */
export function checkPoints(points: readonly LossPoint[], { at, ratios }: PointRules): void {
  points.forEach((point, i) => {
    const field = (name: string) => `${at}[${i}].${name}`;
    const { ratio, tokens, modelSize, loss } = point;
    if (!(ratio <= 1 && (ratios === "open" ? ratio > 0 : ratio >= 0)))
      throw new FieldError("LAW_RATIO", {
        at: field("ratio"),
        expected: ratios === "open" ? "a domain share above 0 and at most 1" : "a domain share from 0 to 1",
        received: ratio,
        todo: "write 0.25 for a quarter of the tokens",
      });
    if (!(Number.isFinite(loss) && loss > 0))
      throw new FieldError("LAW_LOSS", {
        at: field("loss"),
        expected: "a finite loss above 0 in nats per token",
        received: String(loss),
        todo: "a diverged pilot run says nothing about the mixture: lower its learning rate and run it again, or leave it out",
      });
    if (!(Number.isFinite(tokens) && tokens > 0))
      throw new FieldError("LAW_TOKENS", {
        at: field("tokens"),
        expected: "a finite number of tokens above 0",
        received: tokens,
        todo: "leave out the point before the first step",
      });
    if (modelSize !== undefined && !(Number.isFinite(modelSize) && modelSize > 0))
      throw new FieldError("LAW_MODEL_SIZE", {
        at: field("modelSize"),
        expected: "a finite number of parameters above 0",
        received: modelSize,
      });
  });
}

/** Throws unless there are at least `minimum` of something; `what` reads as in "at least 4 different ratios". */
export function requireEnough(at: string, what: string, count: number, minimum: number, todo: string): void {
  if (count < minimum) throw new FieldError("LAW_TOO_FEW_PILOTS", { at, expected: `at least ${minimum} ${what}`, received: count, todo });
}

export const distinct = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => a - b);

/** Smallest and largest value. */
export type ValueRange = readonly [low: number, high: number];

export const rangeOf = (values: readonly number[]): ValueRange => [Math.min(...values), Math.max(...values)];

/** Outside by more than rounding. */
export const isOutside = (value: number, [low, high]: ValueRange): boolean => value < low * (1 - 1e-9) || value > high * (1 + 1e-9);

/** 1, 10³, 10⁶ or 10⁹ …: the largest power of 1,000 that is at most `value`. Keeps a law's coefficients near 1. */
export const powerOfThousandUpTo = (value: number): number =>
  1000 ** Math.max(0, Math.floor(Math.log(value * (1 + 1e-12)) / Math.log(1000)));
