/**
 * Did the claim hold? From its value in each seed, a 95 % interval of the mean; from the interval and the expectation, a verdict.
 *   d̄ = Σ d_s / S                       d_s: value of seed s, s = 1 … S (arms of a seed share data order: the differences are paired)
 *   V = s²/S + Σ_k s_k²/K_k             s² over seeds; s_k² over the K_k held-out documents of corpus k, each in place of the corpus
 *   d̄ ± t(0.975, ν) · √V                ν = V² / Σ V_i²/ν_i  (Welch–Satterthwaite over the parts V_i of V, ν_i = S − 1 or K_k − 1)
 * Seeds and documents are crossed, all seeds are measured on the same documents, so that their part does not shrink with S; noise that is
 * both counts in both, which makes the interval a little too wide, never too narrow. One seed says nothing about seeds: no interval.
 */
import { FieldError } from "../errors.ts";
import { mean } from "../evaluate/significance/index.ts";
import type { Cell, Claim, Expectation, Reading } from "./reproduction.ts";
import { studentTQuantile } from "./student-t.ts";

export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export type Verdict = "held" | "did not hold" | "too noisy to say";

/** Cells of one seed by arm. */
export type SeedCells = ReadonlyMap<string, Cell>;

export function estimateClaim(claim: Pick<Claim, "id" | "value">, seeds: readonly SeedCells[]): Estimate {
  const values = seeds.map((cells) => claim.value(readingOf(claim.id, cells)));
  return interval(
    values,
    [...documentCounts(seeds)].map(([key, count]) => documentValues(claim, seeds, key, count)),
  );
}

/** The interval of a mean over seeds; `documents`: for each corpus the mean over seeds of the value at each document. */
export function interval(values: readonly number[], documents: readonly (readonly number[])[] = []): Estimate {
  const value = mean(values);
  const parts = [{ variance: variance(values) / values.length, degrees: values.length - 1 }];
  for (const list of documents) if (list.length > 1) parts.push({ variance: variance(list) / list.length, degrees: list.length - 1 });
  const total = parts.reduce((sum, part) => sum + part.variance, 0);
  if (total === 0) return { value, low: value, high: value };
  if (!Number.isFinite(total)) return { value, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const degrees = total ** 2 / parts.reduce((sum, part) => sum + part.variance ** 2 / part.degrees, 0);
  const half = studentTQuantile(0.975, degrees) * Math.sqrt(total);
  return { value, low: value - half, high: value + half };
}

export function judge(expect: Expectation, { low, high }: Estimate): Verdict {
  if ("above" in expect) {
    if (low > expect.above) return "held";
    return high <= expect.above ? "did not hold" : "too noisy to say";
  }
  if (low >= -expect.within && high <= expect.within) return "held";
  return low > expect.within || high < -expect.within ? "did not hold" : "too noisy to say";
}

/**
 * A value for each document whose plain mean is the ratio R = Σ l / Σ b (bits per byte: l bits, b bytes), by linearization:
 *   R + K · (l_k − R · b_k)/Σ b
 */
export function documentScores(byDocument: readonly { readonly lossSum: number; readonly bytes: number }[]): number[] {
  const bytes = byDocument.reduce((sum, document) => sum + document.bytes, 0);
  const bits = byDocument.reduce((sum, document) => sum + document.lossSum, 0) / Math.LN2;
  const ratio = bits / bytes;
  return byDocument.map((document) => ratio + (byDocument.length * (document.lossSum / Math.LN2 - ratio * document.bytes)) / bytes);
}

/** s² = Σ (x − x̄)²/(n − 1); infinite for one value: nothing is known. */
function variance(values: readonly number[]): number {
  if (values.length < 2) return Number.POSITIVE_INFINITY;
  if (values.every((value) => value === values[0])) return 0;
  const average = mean(values);
  return values.reduce((sum, value) => sum + (value - average) ** 2, 0) / (values.length - 1);
}

function readingOf(claim: string, cells: SeedCells): Reading {
  return (arm, key) => {
    const value = cells.get(arm)?.measurements[key];
    if (value !== undefined && !Number.isNaN(value)) return value;
    throw new FieldError("CLAIM_READING", {
      at: `claim ${claim}: ${arm}.${key}`,
      expected: "a measurement of that arm",
      received: value ?? null,
    });
  };
}

/** Corpora with values by document, the same number of documents in all cells that have them. */
function documentCounts(seeds: readonly SeedCells[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const cells of seeds)
    for (const [arm, { documents = {} }] of cells)
      for (const [key, { length }] of Object.entries(documents)) {
        if ((counts.get(key) ?? length) !== length)
          throw new FieldError("CLAIM_DOCUMENTS", {
            at: `${arm}.${key}`,
            expected: `${counts.get(key)} documents, as in other cells`,
            received: length,
          });
        counts.set(key, length);
      }
  return counts;
}

/** For each document, the mean over seeds of the claim with that document in place of the corpus, in all arms at once. */
function documentValues(claim: Pick<Claim, "id" | "value">, seeds: readonly SeedCells[], key: string, count: number): number[] {
  return Array.from({ length: count }, (_, k) =>
    mean(
      seeds.map((cells) => {
        const whole = readingOf(claim.id, cells);
        return claim.value((arm, wanted) =>
          wanted === key ? (cells.get(arm)?.documents?.[key]?.[k] ?? whole(arm, wanted)) : whole(arm, wanted),
        );
      }),
    ),
  );
}
