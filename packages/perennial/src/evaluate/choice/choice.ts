/**
 * Multiple choice by likelihood (lm-evaluation-harness). LL_k: log-likelihood of choice k given the context, nats. Predicted choice:
 *   acc                  argmax LL_k
 *   acc_norm             argmax LL_k / |choice k in code points|
 *   acc_bytes            argmax LL_k / |choice k in UTF-8 bytes|
 *   acc_mutual_info      argmax LL_k − LL(choice k | empty context)
 * Lengths are those of the choice without the delimiter before it. Ties go to the lowest index; with several gold answers any of them
 * counts. In multilingual comparisons characters and bytes penalize scripts very differently: report both.
 */
import { FieldError } from "../../errors.ts";
import { mean, standardError } from "../significance/standard-error.ts";
import { countCodePoints, countUtf8Bytes } from "../text/whitespace.ts";

export interface ChoiceItem {
  readonly choices: readonly string[];
  /** Nats, one per choice. */
  readonly logLikelihoods: readonly number[];
  /** Nats, one per choice, given an empty context; only `accuracyMutualInformation` needs them. */
  readonly unconditionalLogLikelihoods?: readonly number[];
  /** Indices of the right choices. */
  readonly gold: readonly number[];
}

/** 1 or 0 each. */
export interface ChoiceScores {
  readonly accuracy: number;
  readonly accuracyNormalized: number;
  readonly accuracyBytes: number;
  readonly accuracyMutualInformation?: number;
}

export function scoreChoice({ choices, logLikelihoods, unconditionalLogLikelihoods, gold }: ChoiceItem): ChoiceScores {
  for (const [field, values] of Object.entries({ logLikelihoods, unconditionalLogLikelihoods }))
    if (values !== undefined && values.length !== choices.length)
      throw new FieldError("EVALUATE_CHOICES", {
        at: field,
        expected: `one value for each of ${choices.length} choices`,
        received: values,
      });
  const right = (score: (logLikelihood: number, k: number) => number) => Number(gold.includes(argmax(logLikelihoods.map(score))));
  return {
    accuracy: right((ll) => ll),
    accuracyNormalized: right((ll, k) => ll / countCodePoints(choices[k]!)),
    accuracyBytes: right((ll, k) => ll / countUtf8Bytes(choices[k]!)),
    ...(unconditionalLogLikelihoods && { accuracyMutualInformation: right((ll, k) => ll - unconditionalLogLikelihoods[k]!) }),
  };
}

export interface MeanWithError {
  readonly mean: number;
  /** Sample deviation (n − 1) over √n. */
  readonly standardError: number;
  readonly count: number;
}

export function meanWithError(values: readonly number[]): MeanWithError {
  return { mean: mean(values), standardError: standardError(values), count: values.length };
}

/** Index of the largest score, the lowest of equals. */
export function argmax(scores: readonly number[]): number {
  let best = 0;
  for (const [k, score] of scores.entries()) {
    if (Number.isNaN(score))
      throw new FieldError("EVALUATE_CHOICES", { at: `score of choice ${k}`, expected: "a number", received: "NaN" });
    if (score > scores[best]!) best = k;
  }
  return best;
}
